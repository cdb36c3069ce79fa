package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
)

// TestRefusalInACluster follows what only a proxy refuses to where its owner reads
// it: the object's status has the proxy's words, other sites go on and come, a
// proxy that starts again does so without it, and a new version heals it at once.
func TestRefusalInACluster(t *testing.T) {
	ctx := bounded(t, 2*time.Minute)
	c := install(t, ctx)
	r := c.startReplica(t, ctx, 1, "")
	way := tamper(t, r.XDSAddress, net.JoinHostPort(netns.Addr(8), xdsPort))
	bootstrap, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: way.address, NodeID: "envoy"})
	must(t, err)
	e, err := envoy.Start(ctx, t, envoy.Options{Bootstrap: bootstrap, Concurrency: 1})
	must(t, err)
	p := &proxy{e, r.http}
	c.live(t, ctx, p, "docs", "bystander", "bystander.example.com")
	c.live(t, ctx, p, "docs", "other", "other.example.com")
	c.live(t, ctx, p, "docs", "bad", "bad.example.com")
	must(t, c.apply(ctx, siteYAML("docs", "keeper", "keeper.example.com", "bad", 80))) // so that its first cluster stays

	way.change(scopeOf("bad.example.com"), badRegex)
	must(t, c.apply(ctx, siteYAML("docs", "bad", "bad.example.com", "bystander", 80)))
	site, err := c.awaitVerdict(ctx, "docs", "bad", verdict{"True Accepted", "True ResolvedRefs", "False Rejected", "False NotReady"})
	must(t, err)
	says(t, message(site, "Programmed"), "refused by 1 of 1 serving proxies", "Envoy says: missing ]")
	says(t, site.Status.Message, "refused by 1 of 1 serving proxies", "condition Programmed has Envoy's words")
	if site.Status.Phase != "Error" {
		t.Errorf("phase %s", site.Status.Phase)
	}
	stalled, err := c.kubectl(ctx, "", "get", "ssite", "bad", "-n", "docs", "-o", `jsonpath={.status.conditions[?(@.type=="Stalled")].status}`)
	must(t, err)
	if strings.TrimSpace(stalled) != "True" {
		t.Errorf("Stalled is %q", stalled)
	}
	must(t, awaitAnswer(ctx, p.address, "bad.example.com", http.StatusOK, "bad-1")) // as it was
	c.live(t, ctx, p, "docs", "later", "later.example.com")

	must(t, p.Restart(ctx))
	for _, name := range []string{"bystander", "other", "later"} {
		must(t, awaitAnswer(ctx, p.address, name+".example.com", http.StatusOK, name+"-1"))
	}
	must(t, awaitAnswer(ctx, p.address, "bad.example.com", http.StatusNotFound, ""))

	way.change(scopeOf("bad.example.com"), nil)
	must(t, c.apply(ctx, siteYAML("docs", "bad", "bad.example.com", "other", 80)))
	must(t, awaitAnswer(ctx, p.address, "bad.example.com", http.StatusOK, "other-1"))
	_, err = c.awaitVerdict(ctx, "docs", "bad", good)
	must(t, err)
}
