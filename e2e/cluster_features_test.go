package e2e

import (
	"context"
	"fmt"
	"testing"

	"my-company.com/staticsite-operator/e2e/proc"
)

// testFeatures: what an owner applies reaches readers, is changed, and goes with its field.
func testFeatures(t *testing.T, ctx context.Context, c *installation, _ *replica, p *proxy) {
	c.live(t, ctx, p, "docs", "featured", "featured.example.com")
	plain := siteYAML("docs", "featured", "featured.example.com", "featured", 80)
	for _, step := range []struct{ fields, header string }{
		{"  responseHeaders: {set: [{name: X-Greeting, value: 100% hello}], remove: [Server]}\n", "100% hello"},
		{"  responseHeaders: {set: [{name: X-Greeting, value: hi}]}\n", "hi"},
		{"", ""},
	} {
		must(t, c.apply(ctx, plain+step.fields))
		must(t, proc.Poll(ctx, func(ctx context.Context) error {
			if got := get(t, ctx, p.address, "featured.example.com", "/").Header.Get("X-Greeting"); got != step.header {
				return fmt.Errorf("the answer has %q, want %q", got, step.header)
			}
			return nil
		}))
		_, err := c.awaitVerdict(ctx, "docs", "featured", good)
		must(t, err)
	}
}
