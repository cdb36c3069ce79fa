package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"my-company.com/staticsite-operator/e2e/link"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/proc"
	"my-company.com/staticsite-operator/e2e/traffic"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// What a proxy refuses although every message is valid.

// badRegex puts a route with an invalid regular expression before the others.
func badRegex(m proto.Message) {
	var hosts []*routev3.VirtualHost
	switch m := m.(type) {
	case *routev3.ScopedRouteConfiguration:
		hosts = m.RouteConfiguration.VirtualHosts
	case *routev3.RouteConfiguration:
		hosts = m.VirtualHosts
	}
	host := hosts[len(hosts)/2]
	bad := proto.CloneOf(host.Routes[0])
	bad.Match = &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: "["}}}
	host.Routes = append([]*routev3.Route{bad}, host.Routes...)
}

// badRing makes a cluster's ring have a least size above its greatest.
func badRing(m proto.Message) {
	c := m.(*clusterv3.Cluster)
	c.LbPolicy = clusterv3.Cluster_RING_HASH
	c.LbConfig = &clusterv3.Cluster_RingHashLbConfig_{RingHashLbConfig: &clusterv3.Cluster_RingHashLbConfig{
		MinimumRingSize: wrapperspb.UInt64(100), MaximumRingSize: wrapperspb.UInt64(1),
	}}
}

// keyOf gives a scope the key of another.
func keyOf(domain string) func(proto.Message) {
	return func(m proto.Message) {
		m.(*routev3.ScopedRouteConfiguration).Key.Fragments[0].Type =
			&routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: domain}
	}
}

// scope is the name of a site's scope.
func scope(n int) xds.ResourceName { return scopeOf(domain(n)) }

func scopeOf(domain string) xds.ResourceName {
	return xds.ResourceName{Type: xds.ScopedRoute, Name: domain}
}

// crowd is how many sites there are: one bad among twenty good.
const crowd = 21

// world are the sites, all on one Service.
func world(service string) []object.Object {
	var objects []object.Object
	for n := range crowd {
		objects = append(objects, numbered(n, service))
	}
	return objects
}

// awaitOthers waits until all sites but those left out answer from a pod.
func awaitOthers(ctx context.Context, address, pod string, leftOut ...int) error {
	skip := make(map[int]bool)
	for _, n := range leftOut {
		skip[n] = true
	}
	for n := range crowd {
		if skip[n] {
			continue
		}
		if err := awaitAnswer(ctx, address, domain(n), 200, pod); err != nil {
			return err
		}
	}
	return nil
}

// awaitRefusal waits until Envoy's words about a resource are known.
func (p *publisher) awaitRefusal(ctx context.Context, typ xds.Type, name, words string) error {
	return proc.Poll(ctx, func(context.Context) error {
		for _, said := range p.refusals(typ, name) {
			if strings.Contains(said, words) {
				return nil
			}
		}
		return fmt.Errorf("of %s %s proxies said %q, want %q", typ, name, p.refusals(typ, name), words)
	})
}

// awaitAcknowledged waits until every proxy has acknowledged the newest of a type.
func (p *publisher) awaitAcknowledged(ctx context.Context, typ xds.Type) error {
	want := p.store.Latest().Seq()
	return proc.Poll(ctx, func(context.Context) error {
		for _, state := range p.states() {
			if got := state.Types[typ].Acked; got < want && !state.Closed {
				return fmt.Errorf("a proxy has acknowledged %s up to %d, want %d", typ, got, want)
			}
		}
		return nil
	})
}

// narrowing is how many responses of a type a proxy accepted, and refused.
func narrowing(ctx context.Context, p *proxy, subsystem string) (accepted, refused uint64, err error) {
	stats, err := p.Stats(ctx, subsystem+`.*\.update_(success|rejected)$`)
	for name, n := range stats {
		if strings.HasSuffix(name, "success") {
			accepted += n
		} else {
			refused += n
		}
	}
	return accepted, refused, err
}

// TestFreshProxyRefusesOneScope: of 21 scopes that a proxy is sent at its start one
// is bad, the first, one in the middle, or the last. That one is found, and all
// others serve: requests show it, since an ACK does not (docs/decisions.md, "Other bytes after a refusal").
func TestFreshProxyRefusesOneScope(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		for _, bad := range [][]int{{0}, {crowd / 2}, {crowd - 1}, {3, 4, 17}} {
			t.Run(fmt.Sprint(protocol(sotw), bad), func(t *testing.T) { testFresh(t, sotw, bad) })
		}
	}
}

func testFresh(t *testing.T, sotw bool, bad []int) {
	ctx := bounded(t, time.Minute)
	p := newPublisher(t, translate.RoutesScoped)
	for _, n := range bad {
		p.spoil[scope(n)] = badRegex
	}
	p.publish(t, append(onPod("pods", startPod(t, 1, "pod")), world("pods")...)...)
	e := p.startProxy(t, ctx, 1, sotw)
	live := time.Now()
	must(t, awaitOthers(ctx, e.address, "pod", bad...))
	served := time.Since(live)
	for _, n := range bad {
		must(t, awaitAnswer(ctx, e.address, domain(n), 404, ""))
		must(t, p.awaitRefusal(ctx, xds.ScopedRoute, domain(n), "missing ]"))
	}
	accepted, refused, err := narrowing(ctx, e, "scoped_rds")
	must(t, err)
	t.Logf("%d responses accepted and %d refused until %d of %d scopes were found bad; the others seen to serve %v after the proxy was live",
		accepted, refused, len(bad), crowd, served)
	// Halving 21 takes 5 steps; each has a half that is good.
	if most := uint64(2 + 10*len(bad)); accepted+refused > most {
		t.Errorf("it took %d responses, want at most %d", accepted+refused, most)
	}
}

// startProxy starts an Envoy on the n-th host.
func (p *publisher) startProxy(t *testing.T, ctx context.Context, n int, sotw bool) *proxy {
	t.Helper()
	host, err := netns.NewHost(t, n)
	must(t, err)
	return startWith(t, ctx, fmt.Sprintf("envoy-%d", n), p.bootstrap(t, ctx, sotw), proxyOptions{host: host})
}

// TestRefusedScope follows a bad scope through its life, while others change with
// it and requests flow to all of them: none of the others may notice.
func TestRefusedScope(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		t.Run(protocol(sotw), func(t *testing.T) { testRefusedScope(t, sotw) })
	}
}

func testRefusedScope(t *testing.T, sotw bool) {
	const bad = 7
	ctx := bounded(t, time.Minute)
	p := newPublisher(t, translate.RoutesScoped)
	for n, name := range []string{"old", "new", "other"} {
		p.publish(t, onPod(name, startPod(t, n+1, name))...)
	}
	p.publish(t, world("old")...)
	p.publish(t, numbered(98, "old"), numbered(99, "new")) // so that neither cluster goes
	way, err := link.Listen(net.JoinHostPort(netns.Addr(8), xdsPort), p.address)
	must(t, err)
	t.Cleanup(func() { must(t, way.Close()) })
	p.reached = way.Addr()
	first := p.startProxy(t, ctx, 1, sotw)
	must(t, awaitOthers(ctx, first.address, "old"))
	var hosts []string
	for n := range crowd {
		hosts = append(hosts, domain(n))
	}
	load := traffic.Start(traffic.Options{Address: first.address, Hosts: hosts, Rate: 300})
	defer load.Stop()

	// It becomes bad in the change that moves all sites to another Service: the
	// others move, and it goes on as it was.
	p.spoil[scope(bad)] = badRegex
	p.publish(t, world("new")...)
	must(t, awaitOthers(ctx, first.address, "new", bad))
	must(t, p.awaitRefusal(ctx, xds.ScopedRoute, domain(bad), "missing ]"))
	must(t, awaitAnswer(ctx, first.address, domain(bad), 200, "old"))

	// A second proxy starts: it is told of all others, and of the bad one's last good
	// form. To it the bad one is a suspect, sent last and alone, so that it refuses
	// nothing else with it.
	second := p.startProxy(t, ctx, 2, sotw)
	must(t, awaitOthers(ctx, second.address, "new", bad))
	must(t, awaitAnswer(ctx, second.address, domain(bad), 200, "old"))
	must(t, proc.Poll(ctx, func(ctx context.Context) error {
		_, refused, err := narrowing(ctx, second, "scoped_rds")
		if err == nil && refused != 1 {
			err = fmt.Errorf("the second proxy refused %d responses, want 1", refused)
		}
		return err
	}))

	// Others' changes flow meanwhile.
	p.publish(t, numbered(3, "old"))
	for _, e := range []*proxy{first, second} {
		must(t, awaitAnswer(ctx, e.address, domain(3), 200, "old"))
	}

	// Connections. A delta proxy says what it holds when it comes back, and so
	// loses nothing. What one of state of the world holds is not known: while the
	// bad scope is looked for there are responses without good ones, and its last
	// good version is no stream's any more (docs/decisions.md, "One scope per domain": isolation of
	// refusals is a promise of delta).
	must(t, load.WaitSent(ctx, 100))
	if sotw {
		must(t, undisturbed(t, load))
	}

	// They break in the middle of such a change, each time somewhere else.
	for at := range 5 {
		service := []string{"old", "new"}[at%2]
		p.publish(t, world(service)...)
		time.Sleep(time.Duration(at) * 2 * time.Millisecond) // proves nothing: any moment will do
		way.Cut()
		for _, e := range []*proxy{first, second} {
			must(t, awaitOthers(ctx, e.address, service, bad))
		}
	}

	// Our server starts again, knowing of no refusal.
	p.restart(t)
	p.publish(t, world("new")...)
	for _, e := range []*proxy{first, second} {
		must(t, awaitOthers(ctx, e.address, "new", bad))
	}
	must(t, p.awaitRefusal(ctx, xds.ScopedRoute, domain(bad), "missing ]"))
	if !sotw {
		must(t, awaitAnswer(ctx, first.address, domain(bad), 200, "old"))
		must(t, load.WaitSent(ctx, 100))
		must(t, undisturbed(t, load))
	}

	// A proxy starts again.
	must(t, second.Restart(ctx))
	must(t, awaitOthers(ctx, second.address, "new", bad))
	must(t, awaitAnswer(ctx, second.address, domain(bad), 404, ""))

	// The bad one is mended.
	delete(p.spoil, scope(bad))
	p.publish(t, numbered(bad, "other"))
	for _, e := range []*proxy{first, second} {
		must(t, awaitAnswer(ctx, e.address, domain(bad), 200, "other"))
		must(t, awaitOthers(ctx, e.address, "new", bad))
	}
}

// undisturbed ends a load, and is nil if every request was answered with 200.
func undisturbed(t *testing.T, load *traffic.Load) error {
	report := load.Stop()
	t.Log(report)
	return report.Err()
}

// TestRefusedCluster: a cluster that a proxy refuses costs only the sites on it, and
// those only when the proxy never had a good one.
func TestRefusedCluster(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		t.Run(protocol(sotw), func(t *testing.T) { testRefusedCluster(t, sotw) })
	}
}

func testRefusedCluster(t *testing.T, sotw bool) {
	ctx := bounded(t, time.Minute)
	p := newPublisher(t, translate.RoutesScoped)
	// The bad one stands between the others, in whichever order they are.
	pods := []string{"a-pods", "m-bad", "turning", "z-pods"}
	for n, name := range pods {
		p.publish(t, append(onPod(name, startPod(t, n+1, name)), numbered(n, name))...)
	}
	serving := func(e *proxy, but int) {
		t.Helper()
		for n, name := range pods {
			if n != but {
				must(t, awaitAnswer(ctx, e.address, domain(n), 200, name))
			}
		}
	}
	bad := xds.ResourceName{Type: xds.Cluster, Name: "docs_m-bad_80_cluster"}
	p.change(t, bad, badRing)
	e := p.startProxy(t, ctx, 1, sotw)
	serving(e, 1)
	must(t, awaitAnswer(ctx, e.address, domain(1), 503, ""))
	p.change(t, bad, nil)
	serving(e, -1)

	turning := xds.ResourceName{Type: xds.Cluster, Name: "docs_turning_80_cluster"}
	p.change(t, turning, badRing)
	must(t, p.awaitRefusal(ctx, xds.Cluster, turning.Name, "minimum_ring_size"))
	serving(e, -1)
	p.change(t, turning, nil)
	pods = append(pods, "later")
	p.publish(t, append(onPod("later", startPod(t, 5, "later")), numbered(4, "later"))...)
	serving(e, -1)
}

// TestRefusedEndpoints: a cluster whose endpoints are refused changes, and is followed
// by the endpoints that the proxy accepted before.
func TestRefusedEndpoints(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		t.Run(protocol(sotw), func(t *testing.T) { testRefusedEndpoints(t, sotw) })
	}
}

func testRefusedEndpoints(t *testing.T, sotw bool) {
	ctx := bounded(t, time.Minute)
	p := newPublisher(t, translate.RoutesScoped)
	p.publish(t, append(onPod("pods", startPod(t, 1, "pods")), numbered(0, "pods"))...)
	e := p.startProxy(t, ctx, 1, sotw)
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "pods"))
	const name = "docs_pods_80_cluster"
	p.change(t, xds.ResourceName{Type: xds.Endpoint, Name: name}, badFactor)
	must(t, p.awaitRefusal(ctx, xds.Endpoint, name, "OverprovisioningFactor"))
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "pods"))

	// Envoy acknowledges a cluster when it has its endpoints, or has waited 15 s for them.
	p.change(t, xds.ResourceName{Type: xds.Cluster, Name: name}, func(m proto.Message) {
		m.(*clusterv3.Cluster).ConnectTimeout = durationpb.New(7 * time.Second)
	})
	must(t, p.awaitAcknowledged(ctx, xds.Cluster))
	must(t, awaitAnswer(ctx, e.address, domain(0), 200, "pods"))
	stats, err := e.Stats(ctx, `init_fetch_timeout$`)
	must(t, err)
	for stat, n := range stats {
		if n > 0 {
			t.Errorf("it waited for endpoints in vain: %s is %d", stat, n)
		}
	}
}

// badFactor gives endpoints a factor that Envoy refuses.
func badFactor(m proto.Message) {
	m.(*endpointv3.ClusterLoadAssignment).Policy = &endpointv3.ClusterLoadAssignment_Policy{
		OverprovisioningFactor: wrapperspb.UInt32(0),
	}
}

// TestTwoScopesOfOneKey: the first owner keeps the key, and all others are served.
func TestTwoScopesOfOneKey(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		t.Run(protocol(sotw), func(t *testing.T) { testTwoScopes(t, sotw) })
	}
}

func testTwoScopes(t *testing.T, sotw bool) {
	const first, second, owner, thief = 4, 5, 12, 9
	ctx := bounded(t, time.Minute)
	p := newPublisher(t, translate.RoutesScoped)
	for n, name := range []string{"old", "new"} {
		p.publish(t, onPod(name, startPod(t, n+1, name))...)
	}
	p.spoil[scope(second)] = keyOf(domain(first))
	p.publish(t, append(world("old"), numbered(98, "old"), numbered(99, "new"))...)
	e := p.startProxy(t, ctx, 1, sotw)
	must(t, awaitOthers(ctx, e.address, "old", second))
	must(t, p.awaitRefusal(ctx, xds.ScopedRoute, domain(second), domain(first)))
	must(t, awaitAnswer(ctx, e.address, domain(second), 404, ""))

	// Another one takes a key as all sites move: the owner may move before or after.
	p.spoil[scope(thief)] = keyOf(domain(owner))
	p.publish(t, world("new")...)
	must(t, awaitOthers(ctx, e.address, "new", second, thief))
	must(t, p.awaitRefusal(ctx, xds.ScopedRoute, domain(thief), domain(owner)))
	must(t, awaitAnswer(ctx, e.address, domain(thief), 200, "old"))

	p.spoil = nil
	p.publish(t, numbered(second, "old"), numbered(thief, "old"))
	p.publish(t, numbered(second, "new"), numbered(thief, "new"))
	must(t, awaitOthers(ctx, e.address, "new"))
}

// TestRefusedTable: in the layout of the first design all routes are one resource,
// so a refusal is of all that changed; what was served goes on being served, also
// by a proxy that starts meanwhile.
func TestRefusedTable(t *testing.T) {
	for _, sotw := range []bool{false, true} {
		t.Run(protocol(sotw), func(t *testing.T) { testRefusedTable(t, sotw) })
	}
}

func testRefusedTable(t *testing.T, sotw bool) {
	const table = "dynamic_routes"
	ctx := bounded(t, time.Minute)
	p := newPublisher(t, translate.RoutesSingle)
	for n, name := range []string{"old", "new"} {
		p.publish(t, onPod(name, startPod(t, n+1, name))...)
	}
	p.publish(t, append(world("old"), numbered(98, "old"), numbered(99, "new"))...)
	e := p.startProxy(t, ctx, 1, sotw)
	must(t, awaitOthers(ctx, e.address, "old"))

	p.spoil[xds.ResourceName{Type: xds.Route, Name: table}] = badRegex
	p.publish(t, append(world("new"), numbered(50, "new"))...)
	must(t, p.awaitRefusal(ctx, xds.Route, table, "missing ]"))
	must(t, awaitOthers(ctx, e.address, "old"))
	must(t, awaitAnswer(ctx, e.address, domain(50), 404, ""))

	fresh := p.startProxy(t, ctx, 2, sotw)
	must(t, awaitOthers(ctx, fresh.address, "old"))
	must(t, awaitAnswer(ctx, fresh.address, domain(50), 404, ""))

	p.spoil = nil
	p.publish(t, numbered(51, "new"))
	for _, e := range []*proxy{e, fresh} {
		must(t, awaitOthers(ctx, e.address, "new"))
		must(t, awaitAnswer(ctx, e.address, domain(51), 200, "new"))
	}
}
