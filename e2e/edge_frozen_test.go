package e2e

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/link"
	"my-company.com/staticsite-operator/e2e/netns"
)

// TestFrozenProxies: one proxy is stopped, another sits behind a hung network. A
// third gets every change meanwhile, and the two catch up when they come back.
func TestFrozenProxies(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		t.Run(protocol(sotw), func(t *testing.T) { testFrozen(t, sotw) })
	}
}

func testFrozen(t *testing.T, sotw bool) {
	ctx := bounded(t, time.Minute)
	pods := []string{"old", "new"}
	addresses := make(map[string]string)
	for n, name := range pods {
		addresses[name] = startPod(t, n+1, name).Address()
	}
	const sites = 30
	put := func(e *edge, n int, pod string) {
		e.sites.put(t, fmt.Sprintf("site-%d.yaml", n), served("docs", fmt.Sprintf("site-%d", n), domain(n), addresses[pod]))
	}
	e := startEdge(t, ctx, newFolder(t, nil))
	for n := range sites / 2 {
		put(e, n, "old")
	}
	way, err := link.Listen(net.JoinHostPort(netns.Addr(8), xdsPort), e.XDSAddress)
	must(t, err)
	t.Cleanup(func() { must(t, way.Close()) })
	proxies := make(map[string]*proxy)
	for n, name := range []string{"stopped", "cut off", "well"} {
		host, err := netns.NewHost(t, n+1)
		must(t, err)
		options := proxyOptions{sotw: sotw, host: host}
		if name == "cut off" {
			options.xds = way.Addr()
		}
		proxies[name] = e.startProxy(t, ctx, name, options)
		must(t, answers(ctx, proxies[name], 0, sites/2, "old"))
	}

	must(t, proxies["stopped"].Process().Signal(syscall.SIGSTOP))
	way.Freeze()
	for n := range sites {
		put(e, n, "new")
		must(t, awaitAnswer(ctx, proxies["well"].address, domain(n), 200, "new"))
	}
	// That they were frozen shows where it can be asked: nothing has changed.
	must(t, answers(ctx, proxies["cut off"], 0, sites/2, "old"))
	must(t, awaitAnswer(ctx, proxies["cut off"].address, domain(sites-1), 404, ""))

	must(t, proxies["stopped"].Process().Signal(syscall.SIGCONT))
	way.Thaw()
	for _, p := range proxies {
		must(t, answers(ctx, p, 0, sites, "new"))
	}
}

// answers waits until the sites from one to another answer from a pod.
func answers(ctx context.Context, p *proxy, from, to int, pod string) error {
	for n := from; n < to; n++ {
		if err := awaitAnswer(ctx, p.address, domain(n), 200, pod); err != nil {
			return err
		}
	}
	return nil
}
