package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/cluster"
)

// TestManySites: however many statuses are to be written, the next site is live
// before them; each normal site costs one write, and no write is made twice, not by
// a program that starts again nor by another one that takes over.
//
// SITES says how many. 10000 take a minute on two cores.
func TestManySites(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("SITES"))
	if err != nil {
		n = 10000
	}
	ctx := bounded(t, 3*time.Minute+time.Duration(n)*50*time.Millisecond)
	c := install(t, ctx)
	r := c.startReplica(t, ctx, 1, "")
	p := r.startEnvoy(t, ctx, "envoy")
	c.live(t, ctx, p, "many", "web", "web.example.com")
	before := c.timesToLive(t, ctx, p, "before")

	start := time.Now()
	must(t, c.createSites(ctx, n))
	created := time.Since(start)
	during := c.timesToLive(t, ctx, p, "during")
	figures, err := counters(ctx, r.metrics)
	must(t, err)
	if figures["staticsite_statuses_waiting"] == 0 {
		t.Error("all statuses are written when the next site is live: this shows nothing")
	}
	all := n + 1 + len(before) + len(during)
	must(t, awaitFigures(ctx, r.metrics, map[string]float64{
		"staticsite_statuses_waiting": 0, `staticsite_sites{phase="Provisioned"}`: float64(all),
	}))
	took := time.Since(start)
	c.allWell(t, ctx, all)
	writes := len(c.changesOnly(t))
	t.Logf("%d sites: created in %.1fs (%.0f/s), all statuses right %.1fs after the first was begun (%.0f status writes/s, %d writes for %d sites)",
		n, created.Seconds(), float64(n)/created.Seconds(), took.Seconds(), float64(writes)/took.Seconds(), writes, all)
	t.Logf("from the API server's answer to the first response: %v before, %v while %.0f statuses waited, the oldest for %.1fs",
		before, during, figures["staticsite_statuses_waiting"], figures["staticsite_status_lag_seconds"])
	if writes > all+all/20 { // a proxy that is busy may take its second to answer
		t.Errorf("%d writes for %d sites that are good from the start", writes, all)
	}

	// A program that starts again finds everything as it should be; so does another
	// one. What comes after that is the next thing that either writes.
	must(t, r.Restart(ctx))
	c.oneMore(t, ctx, p, "restarted", writes)
	second := c.startReplica(t, ctx, 2, "")
	p2 := second.startEnvoy(t, ctx, "envoy-2")
	must(t, awaitAnswer(ctx, p2.address, "web.example.com", http.StatusOK, "web-1"))
	r.Stop()
	must(t, c.Delete(ctx, endpointOf(r))) // as Kubernetes does with a pod that ends
	must(t, second.leads(ctx, 0))
	c.oneMore(t, ctx, p2, "taken-over", writes)
}

// createSites makes so many sites of one Service, as fast as the API server takes them.
func (c *installation) createSites(ctx context.Context, n int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range n {
		name := fmt.Sprintf("site-%d", i)
		group.Go(func() error { return c.createSite(ctx, name) })
	}
	return group.Wait()
}

func (c *installation) createSite(ctx context.Context, name string) error {
	site, err := cluster.Parse([]byte(siteYAML("many", name, name+".many.example.com", "web", 80)))
	if err != nil {
		return err
	}
	_, err = c.Dynamic.Resource(v1alpha1.Resource).Namespace("many").Create(ctx, site[0], metav1.CreateOptions{})
	return err
}

// timesToLive makes some sites, one after the other, and returns how long it took
// from the API server's answer until the proxy served each, sorted.
func (c *installation) timesToLive(t *testing.T, ctx context.Context, p *proxy, name string) (times []time.Duration) {
	t.Helper()
	for i := range 5 {
		site := fmt.Sprintf("%s-%d", name, i)
		must(t, c.createSite(ctx, site))
		start := time.Now()
		must(t, awaitAnswer(ctx, p.address, site+".many.example.com", http.StatusOK, "web-1"))
		times = append(times, time.Since(start).Round(time.Millisecond))
	}
	slices.Sort(times)
	return times
}

// oneMore makes a site, and checks that no others have been written since there were
// so many writes: whatever there was to write of those, it was before. The new one may
// be told that it waits for the proxies, which have just lost their server.
func (c *installation) oneMore(t *testing.T, ctx context.Context, p *proxy, name string, writes int) {
	t.Helper()
	must(t, c.createSite(ctx, name))
	must(t, awaitAnswer(ctx, p.address, name+".many.example.com", http.StatusOK, "web-1"))
	_, err := c.awaitVerdict(ctx, "many", name, good)
	must(t, err)
	for _, site := range c.changesOnly(t)[writes:] {
		if site != "many/restarted" && site != "many/taken-over" {
			t.Errorf("%s: the status of %s was written", name, site)
		}
	}
}

// allWell checks the status of every site.
func (c *installation) allWell(t *testing.T, ctx context.Context, n int) {
	t.Helper()
	list, err := c.Dynamic.Resource(v1alpha1.Resource).List(ctx, metav1.ListOptions{})
	must(t, err)
	if len(list.Items) != n {
		t.Errorf("%d sites, want %d", len(list.Items), n)
	}
	for _, item := range list.Items {
		site, err := typed(&item)
		must(t, err)
		if got, err := verdictOf(site); err != nil || got != good || !slices.Equal(site.Status.Domains, []string{site.Spec.Domain}) {
			t.Fatalf("%s: %+v, %v, holds %v", site.Name, got, err, site.Status.Domains)
		}
	}
}

// changesOnly checks that no status was written that was written before, and returns
// whose was written, in the order of the writes.
func (c *installation) changesOnly(t *testing.T) (sites []string) {
	t.Helper()
	last := make(map[string]map[string]any)
	writes := c.requests(t, "", func(r cluster.Request) bool { return isStatusWrite(r) && r.Code == http.StatusOK })
	for _, w := range writes {
		var body unstructured.Unstructured
		must(t, json.Unmarshal([]byte(w.Body), &body.Object))
		status, _, err := unstructured.NestedMap(body.Object, "status")
		must(t, err)
		if status == nil {
			t.Fatalf("the audit log has no status in %s", w.Body)
		}
		if reflect.DeepEqual(last[w.Object], status) {
			t.Errorf("%s was written twice: %v", w.Object, status)
		}
		last[w.Object] = status
		sites = append(sites, w.Object)
	}
	return sites
}
