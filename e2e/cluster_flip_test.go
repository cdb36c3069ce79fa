package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/cluster"
)

// TestLosersFirst: a policy takes domains from those who hold them while many other
// statuses wait to be written. Those who lose are told before these: what they read is
// not so any more, and what the others read is only late.
func TestLosersFirst(t *testing.T) {
	const losers, crowd = 100, 800
	ctx := bounded(t, 4*time.Minute)
	c := install(t, ctx)
	r := c.startReplica(t, ctx, 1, "")
	must(t, c.claims(ctx, "losers", losers))
	must(t, awaitFigures(ctx, r.metrics, map[string]float64{"staticsite_statuses_waiting": 0, `staticsite_sites{phase="Pending"}`: losers}))

	must(t, c.claims(ctx, "crowd", crowd))
	figures, err := counters(ctx, r.metrics)
	must(t, err)
	waiting := int(figures["staticsite_statuses_waiting"])
	before := len(c.requests(t, "", isStatusWrite))
	must(t, c.apply(ctx, policy("Reserve", "nobody", "losers.example.com")))
	must(t, awaitFigures(ctx, r.metrics, map[string]float64{
		"staticsite_statuses_waiting": 0, `staticsite_sites{phase="Pending"}`: crowd, `staticsite_sites{phase="Error"}`: losers,
	}))

	told, others := 0, 0
	for _, w := range c.requests(t, "", func(r cluster.Request) bool { return isStatusWrite(r) && r.Code == http.StatusOK })[before:] {
		switch loser := strings.HasPrefix(w.Object, "losers/"); {
		case loser && strings.Contains(w.Body, v1alpha1.ReasonDomainNotPermitted): // else it is from before the flip
			told++
		case !loser && told < losers:
			others++
		}
	}
	t.Logf("%d statuses waited; %d of them were written before the last of %d losers was told", waiting, others, losers)
	if told != losers {
		t.Errorf("%d writes for %d losers", told, losers)
	}
	if waiting < crowd/4 {
		t.Errorf("only %d statuses wait: this shows nothing", waiting)
	}
	if others > waiting/2 { // some are written until the server has heard of the policy
		t.Errorf("%d of %d that waited were written before the last loser was told", others, waiting)
	}
}

// claims makes a namespace in which so many sites each claim a domain, as fast as the
// API server takes them.
func (c *installation) claims(ctx context.Context, namespace string, n int) error {
	if err := c.apply(ctx, namespaceYAML(namespace), serviceYAML(namespace, "web", 80)); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32)
	for i := range n {
		group.Go(func() error {
			site, err := cluster.Parse([]byte(siteYAML(namespace, fmt.Sprintf("site-%d", i), fmt.Sprintf("d%d.%s.example.com", i, namespace), "web", 80)))
			if err == nil {
				_, err = c.Dynamic.Resource(v1alpha1.Resource).Namespace(namespace).Create(ctx, site[0], metav1.CreateOptions{})
			}
			return err
		})
	}
	return group.Wait()
}
