package e2e

import (
	"context"
	"syscall"
	"testing"

	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// What the tools of GitOps say of a site, none of which was told about ours but
// Argo CD: kstatus (the rules of Flux are the same, word for word), and Argo CD.
const (
	saysDone   = "Current, Healthy"
	saysWait   = "InProgress, Progressing"
	saysFailed = "Failed, Degraded"
)

// expectTools checks what they say of a site as it is now. Those that explain
// themselves must say the given words.
func (c *installation) expectTools(t *testing.T, ctx context.Context, namespace, name, want string, words ...string) {
	t.Helper()
	object, err := c.Get(ctx, ref(namespace, name))
	must(t, err)
	k, err := status.Compute(object)
	must(t, err)
	health, text, err := argoHealth(object)
	must(t, err)
	if got := k.Status.String() + ", " + health; got != want {
		t.Errorf("%s/%s is %s, want %s (%s; %s)", namespace, name, got, want, k.Message, text)
	}
	if text == "" {
		t.Error("Argo CD has nothing to show")
	}
	for _, word := range words {
		says(t, text, word)
		says(t, k.Message, word)
	}
}

// wait is kubectl wait for a site, for as long as given: 0s is one look.
func (c *installation) wait(ctx context.Context, namespace, name, what, timeout string) error {
	_, err := c.kubectl(ctx, "", "wait", "--for="+what, "--timeout="+timeout, "-n", namespace, "ssite/"+name)
	return err
}

// testUnvisited: a site that no operator has looked at is not done.
func testUnvisited(t *testing.T, ctx context.Context, c *installation) {
	must(t, c.apply(ctx, namespaceYAML("unvisited"), siteYAML("unvisited", "site", "unvisited.example.com", "site", 80)))
	c.expectTools(t, ctx, "unvisited", "site", saysWait)
	if err := c.wait(ctx, "unvisited", "site", "condition=Ready", "0s"); err == nil {
		t.Error("kubectl finds it ready")
	}
	must(t, c.Delete(ctx, ref("unvisited", "site")))
}

// testGitOps: kubectl wait, kstatus and Argo CD agree on a site that is well, that
// is in each kind of trouble, and that was mended.
func testGitOps(t *testing.T, ctx context.Context, c *installation, r *replica, p *proxy) {
	c.live(t, ctx, p, "gitops", "holder", "taken.example.com")
	c.live(t, ctx, p, "gitops", "site", "site.example.com")
	well := func() {
		t.Helper()
		must(t, c.wait(ctx, "gitops", "site", "condition=Ready", "30s"))
		must(t, c.wait(ctx, "gitops", "site", "jsonpath={.status.phase}=Provisioned", "30s"))
		c.expectTools(t, ctx, "gitops", "site", saysDone)
		site, err := c.awaitVerdict(ctx, "gitops", "site", good)
		must(t, err)
		if len(site.Status.Conditions) != 5 {
			t.Errorf("of a site that is well: %+v", site.Status.Conditions)
		}
	}
	well()
	for _, trouble := range []struct {
		domain, service, reason, words string
	}{
		{`"*.example.com"`, "site", "InvalidDomain", "spec.domain"},
		{"taken.example.com", "site", "DomainConflict", "taken.example.com"},
		{"site.example.com", "nowhere", "ServiceNotFound", "spec.backend.serviceName"},
	} {
		must(t, c.apply(ctx, siteYAML("gitops", "site", trouble.domain, trouble.service, 80)))
		must(t, c.wait(ctx, "gitops", "site", "condition=Stalled", "30s"))
		must(t, c.wait(ctx, "gitops", "site", "condition=Ready=false", "30s"))
		must(t, c.wait(ctx, "gitops", "site", `jsonpath={.status.conditions[?(@.type=="Stalled")].reason}=`+trouble.reason, "30s"))
		must(t, c.wait(ctx, "gitops", "site", "jsonpath={.status.phase}=Error", "30s"))
		c.expectTools(t, ctx, "gitops", "site", saysFailed, trouble.words)
		if err := c.wait(ctx, "gitops", "site", "condition=Ready", "0s"); err == nil {
			t.Errorf("%s: kubectl finds it ready", trouble.reason)
		}
		must(t, c.apply(ctx, siteYAML("gitops", "site", "site.example.com", "site", 80)))
		well()
	}

	// What was said of the generation before is not said of this one.
	must(t, r.Process().Signal(syscall.SIGSTOP))
	must(t, c.apply(ctx, siteYAML("gitops", "site", "taken.example.com", "site", 80)))
	c.expectTools(t, ctx, "gitops", "site", saysWait)
	if err := c.wait(ctx, "gitops", "site", "condition=Ready", "0s"); err == nil {
		t.Error("kubectl finds the generation before ready")
	}
	must(t, r.Process().Signal(syscall.SIGCONT))
	must(t, c.wait(ctx, "gitops", "site", "condition=Stalled", "30s"))
	must(t, c.apply(ctx, siteYAML("gitops", "site", "site.example.com", "site", 80)))
	well()
}
