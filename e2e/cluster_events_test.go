package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	eventsv1 "k8s.io/api/events/v1"

	"my-company.com/staticsite-operator/e2e/proc"
)

// events returns what the Events about a site say, oldest first: "Warning
// DomainConflict", and "x3" after it if it has happened three times.
func (c *installation) events(ctx context.Context, namespace, name string) (said []string, err error) {
	out, err := c.kubectl(ctx, "", "get", "events.v1.events.k8s.io", "-n", namespace, "-o", "json")
	if err != nil {
		return nil, err
	}
	var list eventsv1.EventList
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	for _, e := range list.Items {
		if e.Regarding.Kind != "StaticSite" || e.Regarding.Name != name {
			continue
		}
		text := e.Type + " " + e.Reason
		if e.Series != nil {
			text += fmt.Sprintf(" x%d", e.Series.Count)
		}
		said = append(said, text)
	}
	return said, nil
}

func (c *installation) awaitEvents(t *testing.T, ctx context.Context, namespace, name string, want ...string) {
	t.Helper()
	must(t, proc.Poll(ctx, func(ctx context.Context) error {
		got, err := c.events(ctx, namespace, name)
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("events of %s/%s are %q, want %q", namespace, name, got, want)
		}
		return err
	}))
}

// testEvents: a transition is told once, by Events that kubectl describe shows.
func testEvents(t *testing.T, ctx context.Context, c *installation, r *replica, p *proxy) {
	c.live(t, ctx, p, "events", "holder", "eventful.example.com")
	c.awaitEvents(t, ctx, "events", "holder", "Normal Accepted", "Normal Programmed")

	// In conflict, and mended by its owner.
	must(t, c.apply(ctx, siteYAML("events", "second", "eventful.example.com", "holder", 80)))
	told := []string{"Warning DomainConflict"}
	c.awaitEvents(t, ctx, "events", "second", told...)
	must(t, c.apply(ctx, siteYAML("events", "second", "another.example.com", "holder", 80)))
	told = append(told, "Normal Accepted", "Normal Programmed")
	c.awaitEvents(t, ctx, "events", "second", told...)

	// In conflict again, and the holder goes: what is told again is counted.
	must(t, c.apply(ctx, siteYAML("events", "second", "eventful.example.com", "holder", 80)))
	told[0] = "Warning DomainConflict x2"
	c.awaitEvents(t, ctx, "events", "second", told...)
	must(t, c.Delete(ctx, ref("events", "holder")))
	told = []string{"Warning DomainConflict x2", "Normal Accepted x2", "Normal Programmed x2", "Normal TakenOver"}
	c.awaitEvents(t, ctx, "events", "second", told...)

	out, err := c.kubectl(ctx, "", "describe", "ssite", "-n", "events", "second")
	must(t, err)
	_, shown, _ := strings.Cut(out, "Events:")
	says(t, shown, "Warning", "DomainConflict", "x2 over", "TakenOver", "eventful.example.com was another StaticSite's", "staticsite-operator")

	// A program that starts anew has nothing to tell of what it finds: the next
	// Events are those of the next change.
	must(t, r.Restart(ctx))
	c.live(t, ctx, p, "events", "later", "later-event.example.com")
	c.awaitEvents(t, ctx, "events", "later", "Normal Accepted", "Normal Programmed")
	c.awaitEvents(t, ctx, "events", "second", told...)
	must(t, awaitAnswer(ctx, p.address, "eventful.example.com", http.StatusOK, "holder-1"))
}
