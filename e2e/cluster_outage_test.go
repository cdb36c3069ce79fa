package e2e

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/link"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// TestAPIServerOutages: with the API server gone, hung, or back with no memory,
// nothing changes for anybody's readers, and what was changed meanwhile arrives.
func TestAPIServerOutages(t *testing.T) {
	ctx := bounded(t, 4*time.Minute)
	c := install(t, ctx)
	wire, err := link.Listen("127.0.0.1:0", strings.TrimPrefix(c.APIServer.URL, "https://"))
	must(t, err)
	t.Cleanup(func() { wire.Close() })
	r := c.startReplica(t, ctx, 1, wire.Addr())
	p := r.startEnvoy(t, ctx, "envoy")
	c.live(t, ctx, p, "team", "quiet", "quiet.example.com")
	c.live(t, ctx, p, "team", "edited", "first.example.com")
	c.live(t, ctx, p, "team", "doomed", "doomed.example.com")
	load := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"quiet.example.com"}, Rate: 100})
	defer load.Stop()

	t.Run("Killed", func(t *testing.T) {
		ctx := bounded(t, time.Minute)
		c.APIServer.Kill9()
		must(t, load.WaitSent(ctx, 50))
		must(t, r.Ready(ctx))

		// A proxy that starts now is served.
		host, err := netns.NewHost(t, 1)
		must(t, err)
		bootstrap, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: r.XDSAddress, NodeID: "envoy-2"})
		must(t, err)
		_, err = envoy.Start(ctx, t, envoy.Options{Name: "envoy-2", Bootstrap: bootstrap, Concurrency: 1, Host: host})
		must(t, err)
		_, port, _ := net.SplitHostPort(p.address)
		must(t, awaitAnswer(ctx, net.JoinHostPort(host.Addr, port), "quiet.example.com", http.StatusOK, "quiet-1"))

		must(t, c.APIServer.Restart(ctx))
		must(t, c.apply(ctx, siteYAML("team", "edited", "second.example.com", "edited", 80)))
		must(t, awaitAnswer(ctx, p.address, "second.example.com", http.StatusOK, "edited-1"))
		must(t, awaitAnswer(ctx, p.address, "first.example.com", http.StatusNotFound, ""))
		_, err = c.awaitVerdict(ctx, "team", "edited", good)
		must(t, err)
	})

	t.Run("Reset", func(t *testing.T) {
		ctx := bounded(t, time.Minute)
		from := r.Log.Len()
		wire.Break()
		_, err := r.Log.Wait(ctx, from, saying(notReached))
		must(t, err)
		must(t, load.WaitSent(ctx, 300)) // and it tries again and again
		must(t, r.Ready(ctx))
		wire.Mend()
		_, err = r.Log.Wait(ctx, from, saying(reachedAgain))
		must(t, err)
		if n, m := r.logged(from, notReached), r.logged(from, reachedAgain); n != 1 || m != 1 {
			t.Errorf("an outage was logged %d times, and its end %d times", n, m)
		}
	})

	t.Run("Hung", func(t *testing.T) {
		ctx := bounded(t, 2*time.Minute)
		from := r.Log.Len()
		wire.Freeze()
		must(t, c.apply(ctx, siteYAML("team", "edited", "third.example.com", "edited", 80)))
		_, err := r.Log.Wait(ctx, from, saying("leader no more: this replica writes no statuses"))
		must(t, err)
		_, err = r.Log.Wait(ctx, from, saying(notReached))
		must(t, err)
		must(t, load.WaitSent(ctx, 50))
		must(t, r.Ready(ctx))
		if got, err := ask(ctx, p.address, "second.example.com"); err != nil || got.Status != http.StatusOK {
			t.Errorf("what was live is not any more: %+v, %v", got, err)
		}
		wire.Thaw()
		must(t, awaitAnswer(ctx, p.address, "third.example.com", http.StatusOK, "edited-1"))
		_, err = c.awaitVerdict(ctx, "team", "edited", good)
		must(t, err)
		_, err = r.Log.Wait(ctx, from, saying(reachedAgain))
		must(t, err)
	})

	// What the server missed is nowhere to be asked for: a watch from where it was is
	// answered with 410 Gone.
	t.Run("Gone", func(t *testing.T) {
		ctx := bounded(t, time.Minute)
		wire.Freeze()
		known, err := c.Get(ctx, ref("team", "edited")) // what the server has seen, and nothing newer
		must(t, err)
		must(t, c.Delete(ctx, ref("team", "doomed")))
		must(t, c.apply(ctx, siteYAML("team", "edited", "fourth.example.com", "edited", 80)))
		must(t, c.Etcd.Compact(ctx))
		c.APIServer.Kill9()
		must(t, c.APIServer.Restart(ctx))
		if err := c.watchFrom(ctx, known.GetResourceVersion()); !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			t.Fatalf("a watch from there: %v, want 410", err)
		}
		wire.Cut()
		wire.Thaw()
		must(t, awaitAnswer(ctx, p.address, "fourth.example.com", http.StatusOK, "edited-1"))
		must(t, awaitAnswer(ctx, p.address, "doomed.example.com", http.StatusNotFound, ""))
		_, err = c.awaitVerdict(ctx, "team", "edited", good)
		must(t, err)
	})

	t.Run("Recreated", func(t *testing.T) { testRecreated(t, bounded(t, time.Minute), c, wire) })

	report := load.Stop()
	r.Stop() // while there is an API server
	t.Log(report)
	if err := report.Err(); err != nil {
		t.Error(err)
	}
}

// What the log says when the API server cannot be reached, and when it can be again.
const (
	notReached   = "cannot reach the API server, serving what is known"
	reachedAgain = "API server reached again"
)

// logged counts the lines of a log with a message, from a position on.
func (r *replica) logged(from int, message string) (n int) {
	for _, e := range r.Log.Entries()[from:] {
		if e.Message == message {
			n++
		}
	}
	return n
}

// watchFrom watches sites from a version, and returns the error that comes first.
func (c *installation) watchFrom(ctx context.Context, version string) error {
	watch, err := c.Dynamic.Resource(v1alpha1.Resource).Watch(ctx, metav1.ListOptions{ResourceVersion: version})
	if err != nil {
		return err
	}
	defer watch.Stop()
	event := <-watch.ResultChan()
	return apierrors.FromObject(event.Object)
}

// testRecreated: a site that was deleted and made anew never shows what was true of
// the one before, although its generation is 1 again. The server hears of both at
// once, as it does whenever it is busy.
func testRecreated(t *testing.T, ctx context.Context, c *installation, wire *link.Proxy) {
	bad, fine := siteYAML("team", "again", `"*.example.com"`, "quiet", 80), siteYAML("team", "again", "again.example.com", "quiet", 80)
	for round := range 5 {
		must(t, c.apply(ctx, bad))
		before, err := c.awaitVerdict(ctx, "team", "again", invalid("InvalidDomain"))
		must(t, err)
		watch, err := c.Dynamic.Resource(v1alpha1.Resource).Namespace("team").Watch(ctx, metav1.ListOptions{ResourceVersion: before.ResourceVersion})
		must(t, err)
		wire.Freeze()
		must(t, c.Delete(ctx, ref("team", "again")))
		must(t, c.apply(ctx, fine))
		wire.Thaw()
		for event := range watch.ResultChan() {
			got, ok := event.Object.(*unstructured.Unstructured)
			if !ok {
				t.Fatalf("event %s: %v", event.Type, event.Object)
			}
			if got.GetName() != "again" || got.GetUID() == before.UID {
				continue
			}
			site, err := typed(got)
			must(t, err)
			if len(site.Status.Conditions) == 0 {
				continue
			}
			v, err := verdictOf(site)
			must(t, err)
			if v == good {
				break
			}
			if !strings.HasPrefix(v.Accepted, "True") {
				t.Fatalf("round %d: the new site is said to be %+v: %s", round, v, site.Status.Message)
			}
		}
		watch.Stop()
		must(t, c.Delete(ctx, ref("team", "again")))
	}
}
