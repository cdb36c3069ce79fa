package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/proc"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// TestRestoredFromBackup: etcd is restored from a backup, so that objects are gone
// without a word, others are as they were, and versions go back. What is served and
// said follows, and nobody's readers notice.
func TestRestoredFromBackup(t *testing.T) {
	ctx := bounded(t, 4*time.Minute)
	c := install(t, ctx)
	r := c.startReplica(t, ctx, 1, "")
	pod := startPod(t, 1, "web-1")
	must(t, c.apply(ctx, namespaceYAML("team"), serviceYAML("team", "web", 80), sliceYAML("team", "web", pod.Address())))
	sites := []string{"quiet", "doomed", "edited", "reserved"}
	for _, name := range sites {
		must(t, c.apply(ctx, siteYAML("team", name, name+".example.com", "web", 80)))
		_, err := c.awaitVerdict(ctx, "team", name, verdict{"True Accepted", "True ResolvedRefs", "Unknown NoProxies", "Unknown NotReady"})
		must(t, err)
	}
	must(t, c.Etcd.Save(ctx))
	p := r.startEnvoy(t, ctx, "envoy") // so the statuses of the backup are none that is so
	for _, name := range sites {
		must(t, awaitAnswer(ctx, p.address, name+".example.com", http.StatusOK, "web-1"))
		_, err := c.awaitVerdict(ctx, "team", name, good)
		must(t, err)
	}
	load := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"quiet.example.com"}, Rate: 100})
	defer load.Stop()

	for _, test := range []struct {
		name string
		do   func(*testing.T, context.Context, *replica)
	}{
		{"WhileTheAPIServerIsStopped", c.restoreStopped},
		{"WhileTheAPIServerRuns", c.restoreRunning},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := bounded(t, 90*time.Second)
			// What is lost again.
			second := startPod(t, 2, "web-2")
			must(t, c.Delete(ctx, ref("team", "doomed")))
			must(t, c.apply(ctx, siteYAML("team", "edited", "second.example.com", "web", 80), siteYAML("team", "later", "later.example.com", "other", 80),
				serviceYAML("team", "other", 80), sliceYAML("team", "other", second.Address()), policy("Reserve", "nobody", "reserved.example.com")))
			must(t, awaitAnswer(ctx, p.address, "second.example.com", http.StatusOK, "web-1"))
			must(t, awaitAnswer(ctx, p.address, "later.example.com", http.StatusOK, "web-2"))
			must(t, awaitAnswer(ctx, p.address, "doomed.example.com", http.StatusNotFound, ""))
			_, err := c.awaitVerdict(ctx, "team", "reserved", invalid("DomainNotPermitted"))
			must(t, err)
			must(t, c.grow(ctx, 100))

			test.do(t, ctx, r)

			must(t, awaitAnswer(ctx, p.address, "later.example.com", http.StatusNotFound, ""))
			must(t, awaitAnswer(ctx, p.address, "second.example.com", http.StatusNotFound, ""))
			must(t, awaitAnswer(ctx, p.address, "edited.example.com", http.StatusOK, "web-1"))
			must(t, awaitAnswer(ctx, p.address, "doomed.example.com", http.StatusOK, "web-1"))
			for _, name := range sites {
				_, err := c.awaitVerdict(ctx, "team", name, good)
				must(t, err)
			}
			if _, err := c.site(ctx, "team", "later"); !apierrors.IsNotFound(err) {
				t.Errorf("the site that was lost: %v", err)
			}
			// And it goes on from there.
			must(t, c.apply(ctx, siteYAML("team", "new", "new.example.com", "web", 80)))
			must(t, awaitAnswer(ctx, p.address, "new.example.com", http.StatusOK, "web-1"))
			_, err = c.awaitVerdict(ctx, "team", "new", good)
			must(t, err)
			must(t, c.apply(ctx, siteYAML("team", "bare", "bare.example.com", "other", 80)))
			_, err = c.awaitVerdict(ctx, "team", "bare", verdict{"True Accepted", "False ServiceNotFound", "True Programmed", "False NotReady"})
			must(t, err)
		})
	}
	report := load.Stop()
	t.Log(report)
	if err := report.Err(); err != nil {
		t.Error(err)
	}
}

// grow makes the cluster's version grow.
func (c *installation) grow(ctx context.Context, by int) error {
	for i := range by {
		if err := c.apply(ctx, fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: grow-%d-%d}}\n", time.Now().UnixNano(), i)); err != nil {
			return err
		}
	}
	return nil
}

// restored is what the log says, of the cluster or of the Lease.
const restored = "versions have gone back, as they do when etcd is restored from a backup"

// restoreStopped is what the documentation of Kubernetes asks for.
func (c *installation) restoreStopped(t *testing.T, ctx context.Context, r *replica) {
	from := r.Log.Len()
	c.APIServer.Kill9()
	must(t, c.Etcd.Restore(ctx))
	must(t, c.APIServer.Restart(ctx))
	_, err := r.Log.Wait(ctx, from, func(e operator.Entry) bool { return strings.Contains(e.Message, restored) })
	must(t, err)
}

// restoreRunning leaves the API server with what it knew: it shows that to
// everybody, until it is started again.
func (c *installation) restoreRunning(t *testing.T, ctx context.Context, r *replica) {
	from := r.Log.Len()
	must(t, c.Etcd.Restore(ctx))
	_, err := r.Log.Wait(ctx, from, saying("the Lease's "+restored+": listing everything anew; restart each API server that was running meanwhile, for it goes on to show what was before"))
	must(t, err)
	must(t, proc.Poll(ctx, func(ctx context.Context) error { return c.grow(ctx, 1) }))
	must(t, c.grow(ctx, 300)) // past all versions that were known
	must(t, c.APIServer.Restart(ctx))
}
