package e2e

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// TestExplainFolder: a folder, in every layout with every kind of upstream.
func TestExplainFolder(t *testing.T) {
	for _, layout := range []translate.RouteLayout{translate.RoutesScoped, translate.RoutesSingle} {
		for _, upstreams := range []translate.Upstreams{translate.UpstreamsEndpoints, translate.UpstreamsDNS} {
			t.Run(fmt.Sprint(layout, " ", upstreams), func(t *testing.T) { testExplainFolder(t, layout, upstreams) })
		}
	}
}

func testExplainFolder(t *testing.T, layout translate.RouteLayout, upstreams translate.Upstreams) {
	ctx := bounded(t, time.Minute)
	pod := startPod(t, 1, "docs-1")
	host, _, err := net.SplitHostPort(pod.Address())
	must(t, err)
	names := startNameServer(t)
	names.add("docs", "docs", host)
	sites := newFolder(t, map[string]string{"docs.yaml": served("docs", "docs", "docs.example.com", pod.Address())})
	e := startEdge(t, ctx, sites, "--routes="+string(layout), "--upstreams="+string(upstreams))
	// The command is not told what the server's flags are: it sees it.
	about := question{"docs.example.com", "--sites=" + string(sites), "--server=" + e.XDSAddress}
	about.await(t, ctx, v1alpha1.ReasonNoProxies, 1)
	p := e.startProxy(t, ctx, "edge-1", proxyOptions{resolver: names.address()})
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "docs-1"))
	got := about.await(t, ctx, "Served", 0)
	if got.Route.Layout != string(layout) || got.Cluster.Upstreams != string(upstreams) || got.Route.From != "proxies" {
		t.Errorf("%+v, %+v", got.Route, got.Cluster)
	}

	// A proxy that stands still is behind, and named.
	must(t, p.Process().Signal(syscall.SIGSTOP))
	sites.put(t, "docs.yaml", served("docs", "docs", "docs.example.com", pod.Address()), siteYAML("docs", "two", "two.example.com", "docs", strings.Split(pod.Address(), ":")[1]))
	two := append(question{"two.example.com"}, about[1:]...)
	got = two.await(t, ctx, v1alpha1.ReasonPending, 1)
	says(t, got.Next, "edge-1")
	must(t, p.Process().Signal(syscall.SIGCONT))
	two.await(t, ctx, "Served", 0)
}

// TestExplainRefusal: what a proxy refuses is told in its own words.
func TestExplainRefusal(t *testing.T) {
	const bad = 3
	ctx := bounded(t, time.Minute)
	p := newPublisher(t, translate.RoutesScoped)
	p.publish(t, onPod("pods", startPod(t, 1, "pods"))...)
	p.publish(t, numbered(1, "pods"), numbered(bad, "pods"))
	proxy := p.startProxy(t, ctx, 1, false)
	must(t, awaitAnswer(ctx, proxy.address, domain(bad), 200, "pods"))

	sites := newFolder(t, map[string]string{
		"service.yaml": serviceYAML("docs", "pods", 80) + "---\n" + sliceYAML("docs", "pods", net.JoinHostPort(netns.Addr(1), "80")),
		"good.yaml":    siteYAML("docs", "site-01", domain(1), "pods", 80),
		"bad.yaml":     siteYAML("docs", "site-03", domain(bad), "pods", 80),
	})
	about := func(asked string) question {
		return question{asked, "--sites=" + string(sites), "--server=" + p.address}
	}
	about(domain(bad)).await(t, ctx, "Served", 0)
	p.change(t, xds.ResourceName{Type: xds.ScopedRoute, Name: domain(bad)}, badRegex)
	e := about("http://"+domain(bad)+"/x").await(t, ctx, v1alpha1.ReasonRejected, 1)
	says(t, e.Next, "missing ]")
	if len(e.Proxies) != 1 || e.Proxies[0].State != "refused" || e.Proxies[0].Resource != "scope "+domain(bad) {
		t.Errorf("%+v", e.Proxies)
	}
	about("docs/site-01").await(t, ctx, "Served", 0)
	p.change(t, xds.ResourceName{Type: xds.ScopedRoute, Name: domain(bad)}, nil)
	about(domain(bad)).await(t, ctx, "Served", 0)
}
