package e2e

import (
	"fmt"
	"testing"
	"time"

	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// What goes on being served when a proxy refuses what should be, and to whom.

// TestRefusedScopeKeepsItsCluster: the last good form of a scope, or of the table,
// leads to a cluster that nothing else needs. It stays, also for a proxy that
// starts meanwhile or starts again, until a good form has come.
func TestRefusedScopeKeepsItsCluster(t *testing.T) {
	for _, layout := range []translate.RouteLayout{translate.RoutesScoped, translate.RoutesSingle} {
		for _, sotw := range []bool{false, true} {
			t.Run(string(layout)+"/"+protocol(sotw), func(t *testing.T) { testKeepsItsCluster(t, layout, sotw) })
		}
	}
}

func testKeepsItsCluster(t *testing.T, layout translate.RouteLayout, sotw bool) {
	ctx := bounded(t, 30*time.Second)
	p := newPublisher(t, layout)
	for n, name := range []string{"old", "new", "other"} {
		p.publish(t, onPod(name, startPod(t, n+1, name))...)
	}
	p.publish(t, numbered(0, "old"))
	proxies := []*proxy{p.startProxy(t, ctx, 1, sotw)}
	must(t, awaitAnswer(ctx, proxies[0].address, domain(0), 200, "old"))
	bad := scope(0)
	if layout == translate.RoutesSingle {
		bad = xds.ResourceName{Type: xds.Route, Name: "dynamic_routes"}
	}
	old := func() {
		t.Helper()
		for _, e := range proxies {
			for range 20 {
				must(t, awaitAnswer(ctx, e.address, domain(0), 200, "old"))
			}
		}
	}
	p.spoil[bad] = badRegex
	p.publish(t, numbered(0, "new"))
	must(t, p.awaitRefusal(ctx, bad.Type, bad.Name, "missing ]"))
	// Clusters' next changes come through, so the removal would have, too.
	p.publish(t, numbered(1, "other"))
	p.publish(t, numbered(2, "old")) // The publisher has it again,
	p.publish(t, numbered(2, "other"))
	if layout == translate.RoutesScoped { // and not any more.
		must(t, awaitAnswer(ctx, proxies[0].address, domain(2), 200, "other"))
	}
	old()

	// A proxy that starts now has the last good form, and keeps it when it starts
	// again, or loses its connection.
	proxies = append(proxies, p.startProxy(t, ctx, 2, sotw))
	old()
	must(t, proxies[0].Restart(ctx))
	old()

	// The next form is as bad.
	p.publish(t, numbered(0, "other"))
	if layout == translate.RoutesScoped {
		p.publish(t, numbered(3, "other"))
		must(t, awaitAnswer(ctx, proxies[1].address, domain(3), 200, "other"))
	}
	old()

	// The pod that it leads to is replaced.
	p.publish(t, onPod("old", startPod(t, 4, "moved"))...)
	for _, e := range proxies {
		must(t, awaitAnswer(ctx, e.address, domain(0), 200, "moved"))
	}

	delete(p.spoil, bad)
	p.publish(t, numbered(0, "new"))
	for _, e := range proxies {
		must(t, awaitAnswer(ctx, e.address, domain(0), 200, "new"))
	}
}

// TestRefusedClusterStopsNobody: one cluster turns bad, then others come: none of
// them waits, and the refused one serves as it did.
func TestRefusedClusterStopsNobody(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		t.Run(protocol(sotw), func(t *testing.T) { testStopsNobody(t, sotw) })
	}
}

func testStopsNobody(t *testing.T, sotw bool) {
	ctx := bounded(t, 20*time.Second)
	p := newPublisher(t, translate.RoutesScoped)
	p.publish(t, append(onPod("turning", startPod(t, 1, "turning")), numbered(0, "turning"))...)
	later := startPod(t, 2, "later")
	e := p.startProxy(t, ctx, 1, sotw)
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "turning"))
	turning := xds.ResourceName{Type: xds.Cluster, Name: "docs_turning_80_cluster"}
	p.change(t, turning, badRing)
	must(t, p.awaitRefusal(ctx, xds.Cluster, turning.Name, "minimum_ring_size"))
	for n := 1; n <= 8; n++ {
		name := fmt.Sprintf("later-%d", n)
		started := time.Now()
		p.publish(t, append(onPod(name, later), numbered(n, name))...)
		must(t, awaitAnswer(ctx, e.address, domain(n), 200, "later"))
		t.Log(name, time.Since(started)) // Each would take 5 s, or for ever.
	}
	must(t, p.awaitRefusal(ctx, xds.Cluster, turning.Name, "minimum_ring_size"))
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "turning"))
	p.change(t, turning, nil)
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "turning"))
}

// TestUnansweredClustersStopNobody: Envoy 1.40 never sends its refusal of one
// cluster when another of the same response is still warming up. Changes come
// through all the same, and the refusal once the bad one is mended.
func TestUnansweredClustersStopNobody(t *testing.T) {
	ctx := bounded(t, 50*time.Second)
	p := newPublisher(t, translate.RoutesScoped)
	p.publish(t, append(onPod("turning", startPod(t, 1, "turning")), numbered(0, "turning"))...)
	later := startPod(t, 2, "later")
	e := p.startProxy(t, ctx, 1, false)
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "turning"))
	turning := xds.ResourceName{Type: xds.Cluster, Name: "docs_turning_80_cluster"}
	p.spoil[turning] = badRing
	p.alsoSend(turning)
	for n := 1; n <= 4; n++ {
		name := fmt.Sprintf("later-%d", n)
		started := time.Now()
		p.publish(t, append(onPod(name, later), numbered(n, name))...)
		must(t, awaitAnswer(ctx, e.address, domain(n), 200, "later"))
		t.Log(name, time.Since(started))
	}
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "turning"))
	p.change(t, turning, nil)
	p.publish(t, append(onPod("last", later), numbered(9, "last"))...)
	must(t, awaitAnswer(ctx, e.address, domain(9), 200, "later"))
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "turning"))
}

// TestRefusedClusterIsKnown: a fresh proxy's refusal of one cluster among others
// ends up as an exception, not as an acknowledgement.
func TestRefusedClusterIsKnown(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		t.Run(protocol(sotw), func(t *testing.T) {
			ctx := bounded(t, 15*time.Second)
			p := newPublisher(t, translate.RoutesScoped)
			for n, name := range []string{"a-pods", "m-bad", "z-pods"} {
				p.publish(t, append(onPod(name, startPod(t, n+1, name)), numbered(n, name))...)
			}
			bad := xds.ResourceName{Type: xds.Cluster, Name: "docs_m-bad_80_cluster"}
			p.change(t, bad, badRing)
			e := p.startProxy(t, ctx, 1, sotw)
			must(t, p.awaitRefusal(ctx, xds.Cluster, bad.Name, "minimum_ring_size"))
			must(t, awaitAnswer(ctx, e.address, domain(0), 200, "a-pods"))
			must(t, awaitAnswer(ctx, e.address, domain(2), 200, "z-pods"))
		})
	}
}
