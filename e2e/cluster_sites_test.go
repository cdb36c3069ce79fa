package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/cluster"
	"my-company.com/staticsite-operator/e2e/proc"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// TestCluster is about one server and one proxy in a cluster where nothing fails.
// Each of its tests has namespaces of its own.
func TestCluster(t *testing.T) {
	ctx := bounded(t, 3*time.Minute)
	c := install(t, ctx)
	t.Run("Unvisited", func(t *testing.T) { testUnvisited(t, bounded(t, time.Minute), c) })
	r := c.startReplica(t, ctx, 1, "")

	t.Run("NoProxies", func(t *testing.T) { testNoProxies(t, bounded(t, time.Minute), c) })
	p := r.startEnvoy(t, ctx, "envoy")
	t.Run("NoProxies/UntilOneIsThere", func(t *testing.T) { testFirstProxy(t, bounded(t, time.Minute), c, p) })

	for _, test := range []struct {
		name string
		run  func(*testing.T, context.Context, *installation, *replica, *proxy)
	}{
		{"FirstDesignsExample", testFirstExample},
		{"CreateEditDelete", testCreateEditDelete},
		{"MovedPod", testMovedPod},
		{"TwoSitesOfOneDomain", testConflict},
		{"FirstVisit", testFirstVisit},
		{"MissingReferences", testMissingReferences},
		{"StatusWritesDoNothing", testStatusWrites},
		{"Strays", testStrays},
		{"Kubectl", testKubectl},
		{"GitOps", testGitOps},
		{"Endpoints", testEndpoints},
		{"Features", testFeatures},
		{"BadInput", testBadInput},
		{"NetworkPolicy", testNetworkPolicy},
		{"AppliedAgain", testAppliedAgain},
		{"Teams", testTeams},
		{"Figures", testFigures},
		{"Events", testEvents},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, bounded(t, time.Minute), c, r, p) })
	}
	// Of all that was asked during the tests above.
	t.Run("AuditLog", func(t *testing.T) { testAuditLog(t, c) })
}

// firstDesign is the example that people have from the first design, word for word.
const firstDesign = `apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {name: docs-main, namespace: docs}
spec:
  domain: "docs.my-company.com"
  backend: {serviceName: "docs-main-svc", servicePort: 80}
`

func testFirstExample(t *testing.T, ctx context.Context, c *installation, _ *replica, p *proxy) {
	pod := startPod(t, 1, "docs-main-1")
	must(t, c.apply(ctx, namespaceYAML("docs"), serviceYAML("docs", "docs-main-svc", 80), sliceYAML("docs", "docs-main-svc", pod.Address())))
	_, err := c.kubectl(ctx, firstDesign, "apply", "-f", "-")
	must(t, err)
	must(t, awaitAnswer(ctx, p.address, "docs.my-company.com", http.StatusOK, "docs-main-1"))
	site, err := c.awaitVerdict(ctx, "docs", "docs-main", good)
	must(t, err)
	if site.Status.Phase != "Provisioned" {
		t.Errorf("phase %s", site.Status.Phase)
	}
}

func testCreateEditDelete(t *testing.T, ctx context.Context, c *installation, _ *replica, p *proxy) {
	c.live(t, ctx, p, "edit", "bystander", "bystander.example.com")
	c.live(t, ctx, p, "edit", "site", "before.example.com")

	// Another domain.
	must(t, c.apply(ctx, siteYAML("edit", "site", "after.example.com", "site", 80)))
	must(t, awaitAnswer(ctx, p.address, "after.example.com", http.StatusOK, "site-1"))
	must(t, awaitAnswer(ctx, p.address, "before.example.com", http.StatusNotFound, ""))
	site, err := c.awaitVerdict(ctx, "edit", "site", good)
	must(t, err)
	if got := strings.Join(site.Status.Domains, ","); got != "after.example.com" {
		t.Errorf("it holds %s", got)
	}

	// Another backend.
	other := startPod(t, 2, "other-1")
	must(t, c.apply(ctx, serviceYAML("edit", "other", 8000), sliceYAML("edit", "other", other.Address()),
		siteYAML("edit", "site", "after.example.com", "other", 8000)))
	must(t, awaitAnswer(ctx, p.address, "after.example.com", http.StatusOK, "other-1"))

	must(t, c.Delete(ctx, ref("edit", "site")))
	must(t, awaitAnswer(ctx, p.address, "after.example.com", http.StatusNotFound, ""))
	must(t, awaitAnswer(ctx, p.address, "bystander.example.com", http.StatusOK, "bystander-1"))
	must(t, p.awaitNoCluster(ctx, "edit_site_80_cluster"))
	must(t, p.awaitNoCluster(ctx, "edit_other_8000_cluster"))
}

// awaitNoCluster waits until a proxy does not know a cluster any more.
func (p *proxy) awaitNoCluster(ctx context.Context, name string) error {
	return proc.Poll(ctx, func(ctx context.Context) error {
		dump, err := p.ConfigDump(ctx)
		if err == nil && bytes.Contains(dump, []byte(name)) {
			err = fmt.Errorf("Envoy has cluster %s", name)
		}
		return err
	})
}

// testMovedPod: a pod that moves is one small message, and neither routes nor
// clusters are sent again. Both ends of the wire say so.
func testMovedPod(t *testing.T, ctx context.Context, c *installation, r *replica, p *proxy) {
	c.live(t, ctx, p, "move", "moving", "moving.example.com")
	_, err := c.awaitVerdict(ctx, "move", "moving", good)
	must(t, err)
	writes := len(c.requests(t, "", statusWritesOf("move", "moving")))
	before := wireState(t, ctx, r, p)

	for _, n := range []int{2, 3} {
		name := fmt.Sprintf("moving-%d", n)
		pod := startPod(t, n, name)
		must(t, c.apply(ctx, sliceYAML("move", "moving", pod.Address())))
		must(t, awaitAnswer(ctx, p.address, "moving.example.com", http.StatusOK, name))
	}

	after := wireState(t, ctx, r, p)
	if before.endpoints+2 != after.endpoints {
		t.Errorf("endpoints were sent %d times for two moves", after.endpoints-before.endpoints)
	}
	before.endpoints, after.endpoints = 0, 0
	if before != after {
		t.Errorf("besides endpoints, something was sent: %+v became %+v", before, after)
	}

	// Nor is it news of the site: a change that comes later is the next write.
	c.live(t, ctx, p, "move", "later", "later.example.com")
	_, err = c.awaitVerdict(ctx, "move", "later", good)
	must(t, err)
	if n := len(c.requests(t, "", statusWritesOf("move", "moving"))); n != writes {
		t.Errorf("a moved pod caused %d status writes", n-writes)
	}
}

// A wire is what was sent, as the server counts resources, and what arrived, as
// Envoy counts updates.
type wire struct {
	endpoints, scopes, clusters, listeners int

	scopeUpdates, clusterUpdates, listenerUpdates uint64
}

func wireState(t *testing.T, ctx context.Context, r *replica, p *proxy) (s wire) {
	t.Helper()
	for typ, n := range map[string]*int{"endpoint": &s.endpoints, "scope": &s.scopes, "cluster": &s.clusters, "listener": &s.listeners} {
		var err error
		*n, err = r.sent(ctx, typ)
		must(t, err)
	}
	stats, err := p.Stats(ctx, `(scoped_rds\..*|cluster_manager\.cds|listener_manager\.lds)\.update_success$`)
	must(t, err)
	for name, value := range stats {
		switch {
		case strings.Contains(name, "scoped_rds"):
			s.scopeUpdates += value
		case strings.Contains(name, "cds"):
			s.clusterUpdates += value
		default:
			s.listenerUpdates += value
		}
	}
	if s.scopeUpdates == 0 || s.clusterUpdates == 0 || s.listenerUpdates == 0 {
		t.Fatalf("Envoy does not count its updates by these names: %v", stats)
	}
	return s
}

// testConflict: one domain, two sites. The holder keeps it; when it goes, the other
// one serves, and no request notices.
func testConflict(t *testing.T, ctx context.Context, c *installation, _ *replica, p *proxy) {
	c.live(t, ctx, p, "team-a", "aged", "aged.example.com")
	c.live(t, ctx, p, "team-a", "holder", "shared.example.com")
	_, err := c.awaitVerdict(ctx, "team-a", "holder", good)
	must(t, err)
	second := startPod(t, 2, "second-1")
	must(t, c.apply(ctx, namespaceYAML("team-b"), serviceYAML("team-b", "second", 80), sliceYAML("team-b", "second", second.Address()),
		siteYAML("team-b", "second", `"SHARED.example.com."`, "second", 80)))
	loser, err := c.awaitVerdict(ctx, "team-b", "second", invalid("DomainConflict"))
	must(t, err)
	says(t, message(loser, "Accepted"), "shared.example.com", "team-a")
	if strings.Contains(message(loser, "Accepted"), "holder") {
		t.Error("the message names another team's object")
	}
	if len(loser.Status.Domains) > 0 || loser.Status.Phase != "Error" {
		t.Errorf("the loser holds %v, phase %s", loser.Status.Domains, loser.Status.Phase)
	}

	load := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"shared.example.com"}, Rate: 200})
	defer load.Stop()
	must(t, load.WaitSent(ctx, 40))
	if second.Requests() > 0 {
		t.Error("the loser is served")
	}
	must(t, c.Delete(ctx, ref("team-a", "holder")))
	must(t, proc.Poll(ctx, func(context.Context) error {
		if second.Requests() == 0 {
			return fmt.Errorf("the holder is gone, and the next in line does not serve")
		}
		return nil
	}))
	must(t, load.WaitSent(ctx, 40))
	report := load.Stop()
	t.Log(report)
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	heir, err := c.awaitVerdict(ctx, "team-b", "second", good)
	must(t, err)
	if got := strings.Join(heir.Status.Domains, ","); got != "shared.example.com" {
		t.Errorf("the heir holds %s", got)
	}

	// It holds the domain now, against who had it before and against who is older.
	for _, name := range []string{"holder", "aged"} {
		must(t, c.apply(ctx, siteYAML("team-a", name, "shared.example.com", name, 80)))
		_, err = c.awaitVerdict(ctx, "team-a", name, invalid("DomainConflict"))
		must(t, err)
	}
	must(t, awaitAnswer(ctx, p.address, "shared.example.com", http.StatusOK, "second-1"))
}

// testAuditLog: of all that our server asked, nothing was forbidden, and it wrote
// nothing but statuses, events about them, and its lease.
func testAuditLog(t *testing.T, c *installation) {
	requests := c.requests(t, "", func(cluster.Request) bool { return true })
	statuses := 0
	for _, r := range requests {
		if r.Code == http.StatusForbidden || r.Code == http.StatusUnauthorized {
			t.Errorf("refused: %+v", r)
		}
		switch {
		case !r.IsWrite():
		case r.Verb == "patch" && r.Group == "platform.my-company.com" && r.Resource == "staticsites/status":
			statuses++
		case (r.Verb == "create" || r.Verb == "patch") && r.Group == "events.k8s.io" && r.Resource == "events":
		case (r.Verb == "create" || r.Verb == "update") && r.Resource == "leases" && strings.HasPrefix(r.Object, serverNamespace+"/"):
		default:
			t.Errorf("a needless write: %+v", r)
		}
	}
	if statuses == 0 {
		t.Errorf("no status was written in %d requests", len(requests))
	}
}
