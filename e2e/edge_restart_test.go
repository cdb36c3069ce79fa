package e2e

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/traffic"
)

// TestKilledUnderTraffic: our server is killed and started again, twice, and no
// request fails. A delta proxy is then sent nothing that it has: the only thing
// that it is sent is what is changed after, or was changed meanwhile.
func TestKilledUnderTraffic(t *testing.T) {
	for _, run := range []struct {
		routes string
		sotw   bool
	}{{"scoped", false}, {"single", false}, {"scoped", true}, {"single", true}} {
		t.Run(run.routes+"/"+protocol(run.sotw), func(t *testing.T) { testKilled(t, run.routes, run.sotw) })
	}
}

func testKilled(t *testing.T, routes string, sotw bool) {
	ctx := bounded(t, time.Minute)
	pod := startPod(t, 1, "pod")
	files := make(map[string]string)
	var hosts []string
	for n := range 20 {
		name := fmt.Sprintf("site-%d", n)
		hosts = append(hosts, name+".example.com")
		files[name+".yaml"] = served("docs", name, name+".example.com", pod.Address())
	}
	e := startEdge(t, ctx, newFolder(t, files), "--routes="+routes)
	p := e.startProxy(t, ctx, "envoy", proxyOptions{sotw: sotw})
	for _, host := range hosts {
		must(t, awaitAnswer(ctx, p.address, host, 200, "pod"))
	}
	load := traffic.Start(traffic.Options{Address: p.address, Hosts: hosts, Rate: 200})
	defer load.Stop()
	must(t, load.WaitSent(ctx, 50))

	e.Kill9()
	must(t, load.WaitSent(ctx, 100))
	must(t, e.Restart(ctx))
	must(t, e.connected(ctx, sotw, 1))
	must(t, load.WaitSent(ctx, 50))
	e.sites.put(t, "after.yaml", served("docs", "after", "after.example.com", pod.Address()))
	must(t, awaitAnswer(ctx, p.address, "after.example.com", 200, "pod"))
	if !sotw {
		e.sentOneSite(t, ctx, routes)
	}

	e.Kill9()
	e.sites.put(t, "meanwhile.yaml", served("docs", "meanwhile", "meanwhile.example.com", pod.Address()))
	must(t, load.WaitSent(ctx, 100))
	must(t, e.Restart(ctx))
	must(t, awaitAnswer(ctx, p.address, "meanwhile.example.com", 200, "pod"))
	must(t, load.WaitSent(ctx, 50))
	if !sotw {
		e.sentOneSite(t, ctx, routes)
	}
	report := load.Stop()
	t.Log(report)
	if err := report.Err(); err != nil {
		t.Error(err)
	}
}

// sentOneSite checks that all the server has sent in its life is a site that is new
// to the proxies, with its cluster and endpoints.
func (e *edge) sentOneSite(t *testing.T, ctx context.Context, routes string) {
	t.Helper()
	want := map[string]float64{"cluster": 1, "endpoint": 1, "scope": 1}
	if routes == "single" {
		want = map[string]float64{"cluster": 1, "endpoint": 1, "route": 1}
	}
	counters, err := e.counters(ctx)
	must(t, err)
	got := make(map[string]float64)
	for series, n := range counters {
		if kind, ok := strings.CutPrefix(series, `staticsite_xds_resources_total{type="`); ok && n > 0 {
			got[strings.TrimSuffix(kind, `"}`)] = n
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the server that started again sent %v, want %v: one new site and nothing that the proxy had", got, want)
	}
}
