package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/proc"
)

// TestTakenPort: something else has the port of the one proxy. It is live, has every
// cluster and every scope, and serves nobody, so nothing is programmed, and the status
// says why. Another proxy is not held up. When the port is free, the first one serves
// without anybody's help.
func TestTakenPort(t *testing.T) {
	for _, c := range []struct {
		routes string
		sotw   bool
	}{{"scoped", false}, {"scoped", true}, {"single", false}, {"single", true}} {
		t.Run(c.routes+" "+protocol(c.sotw), func(t *testing.T) { testTakenPort(t, c.routes, c.sotw) })
	}
}

func testTakenPort(t *testing.T, routes string, sotw bool) {
	ctx := bounded(t, time.Minute)
	taken, err := net.Listen("tcp", net.JoinHostPort("0.0.0.0", fmt.Sprint(httpPort)))
	must(t, err)
	defer taken.Close()
	pod := startPod(t, 1, "pod")
	sites := newFolder(t, map[string]string{"site.yaml": served("docs", "site", "site.example.com", pod.Address())})
	file := statusFile(filepath.Join(t.TempDir(), "statuses.json"))
	e := startEdge(t, ctx, sites, "--routes="+routes, "--status-file="+string(file))
	p := e.startProxy(t, ctx, "taken", proxyOptions{sotw: sotw})

	const words = "cannot bind '[::]:8080': Address already in use"
	must(t, file.await(ctx, "site", "Programmed", "Unknown NotServing", words))
	must(t, file.await(ctx, "site", "Reconciling", "True NotServing", "condition Programmed says why"))
	must(t, awaitFigures(ctx, metricsAddress, map[string]float64{
		`staticsite_proxies{serving="false"}`: 1, `staticsite_proxies{serving="true"}`: 0,
	}))
	about := question{"site.example.com", "--sites", string(sites), "--server", e.XDSAddress}
	x := about.await(t, ctx, v1alpha1.ReasonNotServing, 1)
	if len(x.Proxies) != 1 || !strings.Contains(x.Proxies[0].Error, words) {
		t.Errorf("explain shows %+v", x.Proxies)
	}

	host, err := netns.NewHost(t, 1)
	must(t, err)
	other := e.startProxy(t, ctx, "other", proxyOptions{sotw: sotw, host: host})
	must(t, file.await(ctx, "site", "Programmed", "True Programmed", "every serving proxy"))
	must(t, awaitAnswer(ctx, other.address, "site.example.com", 200, "pod"))
	sites.put(t, "later.yaml", served("docs", "later", "later.example.com", pod.Address()))
	must(t, file.await(ctx, "later", "Programmed", "True Programmed", "every serving proxy"))
	says(t, about.text(t, ctx), "not serving", words)

	must(t, taken.Close())
	for _, domain := range []string{"site.example.com", "later.example.com"} {
		must(t, awaitAnswer(ctx, p.address, domain, 200, "pod"))
	}
	must(t, awaitFigures(ctx, metricsAddress, map[string]float64{
		`staticsite_proxies{serving="false"}`: 0, `staticsite_proxies{serving="true"}`: 2,
	}))
	about.await(t, ctx, "Served", 0)
}

// statusFile is where a server on a folder keeps statuses.
type statusFile string

// await waits until a condition of a site is so, and says so.
func (f statusFile) await(ctx context.Context, name, condition, want, words string) error {
	return proc.Poll(ctx, func(context.Context) error {
		text, err := os.ReadFile(string(f))
		if err != nil {
			return err
		}
		var rows []struct {
			Name string `json:"name"`
			v1alpha1.StaticSiteStatus
		}
		if err := json.Unmarshal(text, &rows); err != nil {
			return err
		}
		for _, row := range rows {
			for _, c := range row.Conditions {
				if row.Name == name && c.Type == condition && string(c.Status)+" "+c.Reason == want && strings.Contains(c.Message, words) {
					return nil
				}
			}
		}
		return fmt.Errorf("%s of %s is not %s, %q: %s", condition, name, want, words, text)
	})
}
