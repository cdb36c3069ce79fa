package translate_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// A small world for tests of single changes.
func docsSite() *Site {
	return &Site{Key: Key{Namespace: "docs", Name: "main"}, Generation: 1, Domain: "docs.example.com", Service: "web", Port: 80}
}

func docsService() *Service {
	return &Service{Key: Key{Namespace: "docs", Name: "web"}, Ports: []ServicePort{{Port: 80}}}
}

func docsSlice(addresses ...string) *Slice {
	s := &Slice{Key: Key{Namespace: "docs", Name: "web-1"}, Service: "web", AddressType: "IPv4", Ports: []SlicePort{{Port: 8080}}}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, Endpoint{Address: a, Ready: true})
	}
	return s
}

// outline writes a Delta in short: + for an upsert, - for a removal, then the
// sites with a verdict.
func outline(d Delta) []string {
	var lines []string
	for _, r := range d.Resources {
		sign := "+"
		if r.Message == nil {
			sign = "-"
		}
		line := sign + short(r.Type) + " " + r.Name
		if r.Placeholder {
			line += " (placeholder)"
		}
		lines = append(lines, line)
	}
	for _, v := range d.Verdicts {
		line := "verdict " + v.Site.String() + " " + v.Accepted.Reason + " " + v.ResolvedRefs.Reason
		if v.Gone {
			line = "verdict " + v.Site.String() + " gone"
		}
		lines = append(lines, line)
	}
	return lines
}

func expect(t *testing.T, d Delta, want ...string) {
	t.Helper()
	if got := outline(d); !slices.Equal(got, want) {
		t.Fatalf("got\n\t%q\nwant\n\t%q", got, want)
	}
}

func TestFirstApplyHandsOutTheListenerEvenWithoutObjects(t *testing.T) {
	expect(t, NewWorld(Options{}).Apply(nil), "+Listener http_listener")
	expect(t, NewWorld(Options{Routes: RoutesSingle}).Apply(nil), "+Listener http_listener", "+RouteConfiguration dynamic_routes")
}

func TestSiteComesChangesAndGoes(t *testing.T) {
	w, s := NewWorld(Options{}), newState()
	s.mustApply(t, w, nil)
	expect(t, s.mustApply(t, w, changesOf(docsSite(), docsService(), docsSlice("10.0.0.1"))),
		"+Cluster docs_web_80_cluster", "+ClusterLoadAssignment docs_web_80_cluster", "+ScopedRouteConfiguration docs.example.com",
		"verdict docs/main Accepted ResolvedRefs")

	moved := docsSite()
	moved.Domain = "guide.example.com"
	expect(t, s.mustApply(t, w, changesOf(moved)),
		"-ScopedRouteConfiguration docs.example.com", "+ScopedRouteConfiguration guide.example.com",
		"verdict docs/main Accepted ResolvedRefs")

	expect(t, s.mustApply(t, w, map[Ref]Object{moved.Ref(): nil}),
		"-Cluster docs_web_80_cluster", "-ClusterLoadAssignment docs_web_80_cluster", "-ScopedRouteConfiguration guide.example.com",
		"verdict docs/main gone")
}

func TestWhatIsAppliedAgainChangesNothing(t *testing.T) {
	for _, opts := range combinations {
		w := NewWorld(opts)
		w.Apply(changesOf(docsSite(), docsService(), docsSlice("10.0.0.1")))
		expect(t, w.Apply(changesOf(docsSite(), docsService(), docsSlice("10.0.0.1"))))
	}
}

func TestNewGenerationOfTheSameSpecificationIsAVerdictOnly(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService()))
	again := docsSite()
	again.Generation = 2
	expect(t, w.Apply(changesOf(again)), "verdict docs/main Accepted ResolvedRefs")
}

func TestRecordOfAClaimChangesNothing(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService()))
	recorded := docsSite()
	recorded.Held = []string{"docs.example.com"}
	expect(t, w.Apply(changesOf(recorded)))
}

func TestPodThatMovesIsOneAssignment(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService(), docsSlice("10.0.0.1")))
	expect(t, w.Apply(changesOf(docsSlice("10.0.0.2"))), "+ClusterLoadAssignment docs_web_80_cluster")
	expect(t, w.Apply(changesOf(docsSlice("10.0.0.2", "10.0.0.3"))), "+ClusterLoadAssignment docs_web_80_cluster")
	expect(t, w.Apply(changesOf(docsSlice())), "+ClusterLoadAssignment docs_web_80_cluster", "verdict docs/main Accepted ResolvedRefs")
	expect(t, w.Apply(map[Ref]Object{docsSlice().Ref(): nil}))
}

// The last endpoint that goes, and the first that comes, are news of every site on
// the Service, and of no other.
func TestEndpointsAreNewsBetweenNoneAndOne(t *testing.T) {
	for _, opts := range combinations {
		w := NewWorld(opts)
		second, bad, elsewhere := docsSite(), docsSite(), docsSite()
		second.Name, second.Domain = "second", "second.example.com"
		bad.Name, bad.Domain = "bad", "not a domain"
		elsewhere.Name, elsewhere.Domain, elsewhere.Service = "elsewhere", "elsewhere.example.com", "api"
		none, usable := EndpointsNone, EndpointsUsable
		if opts.Upstreams == UpstreamsDNS {
			none, usable = EndpointsUnknown, EndpointsUnknown
		}
		is := make(map[string]Endpoints)
		step := func(d Delta, main, api Endpoints) {
			t.Helper()
			for _, v := range d.Verdicts {
				is[v.Site.Name] = v.Endpoints
			}
			for name, want := range map[string]Endpoints{"main": main, "second": main, "bad": EndpointsUnknown, "elsewhere": api} {
				if is[name] != want {
					t.Errorf("%+v: endpoints of %s are %d, want %d", opts, name, is[name], want)
				}
			}
		}
		step(w.Apply(changesOf(docsSite(), second, bad, elsewhere, docsService())), none, none)
		step(w.Apply(changesOf(docsSlice("10.0.0.1"))), usable, none)
		notReady := docsSlice("10.0.0.1")
		notReady.Endpoints[0].Ready = false
		step(w.Apply(changesOf(notReady)), none, none)
		refused := docsSlice("10.0.0.1", "127.0.0.1")
		step(w.Apply(changesOf(refused)), usable, none)
		step(w.Apply(map[Ref]Object{docsService().Ref(): nil}), none, none)
	}
}

func TestSliceThatChangesItsServiceLeavesTheOldOne(t *testing.T) {
	other := docsSite()
	other.Name, other.Domain, other.Service = "api", "api.example.com", "api"
	api := docsService()
	api.Name = "api"
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService(), other, api, docsSlice("10.0.0.1")))
	moved := docsSlice("10.0.0.1")
	moved.Service = "api"
	expect(t, w.Apply(changesOf(moved)), "+ClusterLoadAssignment docs_api_80_cluster", "+ClusterLoadAssignment docs_web_80_cluster",
		"verdict docs/api Accepted ResolvedRefs", "verdict docs/main Accepted ResolvedRefs")
}

func TestRefusedEndpointIsAVerdict(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService(), docsSlice("10.0.0.1")))
	expect(t, w.Apply(changesOf(docsSlice("10.0.0.1", "127.0.0.1"))), "verdict docs/main Accepted EndpointNotAllowed")
	expect(t, w.Apply(changesOf(docsSlice("10.0.0.1"))), "verdict docs/main Accepted ResolvedRefs")
}

func TestServiceThatComesAndGoes(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsSlice("10.0.0.1")))
	expect(t, w.Apply(changesOf(docsService())), "+ClusterLoadAssignment docs_web_80_cluster", "verdict docs/main Accepted ResolvedRefs")
	expect(t, w.Apply(map[Ref]Object{docsService().Ref(): nil}), "+ClusterLoadAssignment docs_web_80_cluster", "verdict docs/main Accepted ServiceNotFound")
}

// A cluster that changes is what its sites wait for; those of other ports are not
// concerned, and neither is one that says the same in other words.
func TestAChangeOfProtocolIsOneOfTheCluster(t *testing.T) {
	const changed = "+Cluster docs_web_80_cluster"
	other := docsSite()
	other.Name, other.Domain, other.Port = "other", "other.example.com", 81
	speaking := func(appProtocol string) *Service {
		s := docsService()
		s.Ports = []ServicePort{{Name: "http", Port: 80, AppProtocol: appProtocol}, {Name: "other", Port: 81}}
		return s
	}
	slice := func(appProtocol string) *Slice {
		s := docsSlice("10.0.0.1")
		s.Ports = []SlicePort{{Name: "http", Port: 8080, AppProtocol: appProtocol}, {Name: "other", Port: 8081}}
		return s
	}
	for _, upstreams := range []Upstreams{UpstreamsEndpoints, UpstreamsDNS} {
		w := NewWorld(Options{Upstreams: upstreams})
		w.Apply(changesOf(docsSite(), other, speaking(""), slice("")))
		expect(t, w.Apply(changesOf(speaking("kubernetes.io/h2c"))), changed, "verdict docs/main Accepted ResolvedRefs")
		expect(t, w.Apply(changesOf(speaking("grpc"))))
		expect(t, w.Apply(changesOf(speaking("tcp"))), changed, "verdict docs/main Accepted ResolvedRefs")
		expect(t, w.Apply(changesOf(speaking(""))))
		if upstreams == UpstreamsDNS {
			expect(t, w.Apply(changesOf(slice("h2c")))) // Nobody asks its slices.
			expect(t, w.Apply(changesOf(speaking("https"))), "-Cluster docs_web_80_cluster", "verdict docs/main Accepted UnsupportedProtocol")
			continue
		}
		expect(t, w.Apply(changesOf(slice("h2c"))), changed, "verdict docs/main Accepted ResolvedRefs")
		expect(t, w.Apply(changesOf(speaking("http"))), changed, "verdict docs/main Accepted ResolvedRefs") // The Service's word counts.
		expect(t, w.Apply(changesOf(slice("https"))))
		expect(t, w.Apply(changesOf(speaking(""))), "+ClusterLoadAssignment docs_web_80_cluster", "verdict docs/main Accepted UnsupportedProtocol")
	}
}

// A headless Service's target port is the cluster's in upstreams dns only.
func TestTargetPortOfAHeadlessService(t *testing.T) {
	headless := func(target int32, named bool) *Service {
		s := docsService()
		s.Headless, s.Ports[0].Target, s.Ports[0].NamedTarget = true, target, named
		return s
	}
	w := NewWorld(Options{Upstreams: UpstreamsDNS})
	w.Apply(changesOf(docsSite(), docsService()))
	expect(t, w.Apply(changesOf(headless(8080, false))), "+Cluster docs_web_80_cluster", "verdict docs/main Accepted ResolvedRefs")
	expect(t, w.Apply(changesOf(headless(0, true))), "-Cluster docs_web_80_cluster", "verdict docs/main Accepted UnsupportedTargetPort")
	expect(t, w.Apply(changesOf(headless(0, false))), "+Cluster docs_web_80_cluster", "verdict docs/main Accepted ResolvedRefs")
	w = NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService()))
	expect(t, w.Apply(changesOf(headless(0, true))))
}

// Envoy must never resolve a name that could be anything.
func TestDNSClusterExistsOnlyWhileItsServiceIsHarmless(t *testing.T) {
	w := NewWorld(Options{Upstreams: UpstreamsDNS})
	expect(t, w.Apply(changesOf(docsSite())),
		"+Listener http_listener", "+ScopedRouteConfiguration docs.example.com", "verdict docs/main Accepted ServiceNotFound")
	expect(t, w.Apply(changesOf(docsService())), "+Cluster docs_web_80_cluster", "verdict docs/main Accepted ResolvedRefs")
	external := docsService()
	external.Type = "ExternalName"
	expect(t, w.Apply(changesOf(external)), "-Cluster docs_web_80_cluster", "verdict docs/main Accepted UnsupportedServiceType")
	expect(t, w.Apply(changesOf(docsService())), "+Cluster docs_web_80_cluster", "verdict docs/main Accepted ResolvedRefs")
	expect(t, w.Apply(changesOf(docsSlice("127.0.0.1"))))
}

func TestClusterLivesAsLongAsASiteUsesIt(t *testing.T) {
	second := docsSite()
	second.Name, second.Domain = "second", "second.example.com"
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), second, docsService()))
	expect(t, w.Apply(map[Ref]Object{second.Ref(): nil}), "-ScopedRouteConfiguration second.example.com", "verdict docs/second gone")
	expect(t, w.Apply(map[Ref]Object{docsSite().Ref(): nil}),
		"-Cluster docs_web_80_cluster", "-ClusterLoadAssignment docs_web_80_cluster", "-ScopedRouteConfiguration docs.example.com",
		"verdict docs/main gone")
}

func TestTableIsRebuiltOnceAnApplyAndOnlyForRoutes(t *testing.T) {
	w := NewWorld(Options{Routes: RoutesSingle})
	second := docsSite()
	second.Name, second.Domain = "second", "second.example.com"
	w.Apply(changesOf(docsService()))
	expect(t, w.Apply(changesOf(docsSite(), second)),
		"+Cluster docs_web_80_cluster", "+ClusterLoadAssignment docs_web_80_cluster", "+RouteConfiguration dynamic_routes",
		"verdict docs/main Accepted ResolvedRefs", "verdict docs/second Accepted ResolvedRefs")
	w.Apply(changesOf(docsSlice("10.0.0.1")))
	expect(t, w.Apply(changesOf(docsSlice("10.0.0.2"))), "+ClusterLoadAssignment docs_web_80_cluster")
}

// Map order must not show: one set of changes, many ways through it.
func TestOrderOfChangesDoesNotMatter(t *testing.T) {
	for _, opts := range combinations {
		h := newHistory(7)
		for range 100 {
			h.step()
		}
		h.good = nil
		want := newState()
		want.mustApply(t, NewWorld(opts), maps.Clone(h.objects))
		for range 50 {
			w, got := NewWorld(opts), newState()
			for _, batch := range h.batches() {
				got.mustApply(t, w, batch)
			}
			if diff := got.difference(want); diff != "" {
				t.Fatal(diff)
			}
		}
	}
}

// batches cuts the objects into random batches in random order. A site's last
// valid form is itself, so history leaves nothing behind.
func (h *history) batches() []map[Ref]Object {
	refs := slices.Collect(maps.Keys(h.objects))
	rand.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	var batches []map[Ref]Object
	for len(refs) > 0 {
		n := 1 + rand.IntN(len(refs))
		batch := make(map[Ref]Object)
		for _, ref := range refs[:n] {
			batch[ref] = h.objects[ref]
		}
		batches, refs = append(batches, batch), refs[n:]
	}
	return batches
}

func TestWorldForgetsWhatIsGone(t *testing.T) {
	for _, opts := range combinations {
		h, w := newHistory(3), NewWorld(opts)
		for range 200 {
			w.Apply(h.step())
		}
		gone := make(map[Ref]Object)
		for ref := range h.objects {
			gone[ref] = nil
		}
		w.Apply(gone)
		if n := w.Size(); n != 0 {
			t.Errorf("%v: %d things are remembered of a world that is empty", opts, n)
		}
	}
}

// What leads to a cluster says so, in either layout; what leads nowhere does not.
func TestRoutesNameTheClustersThatTheyNeed(t *testing.T) {
	invalid := docsSite()
	invalid.Name, invalid.Domain, invalid.Held, invalid.Port = "broken", "broken.example.com", []string{"broken.example.com"}, 0
	for _, opts := range combinations {
		for _, r := range NewWorld(opts).Apply(changesOf(docsSite(), docsService(), invalid)).Resources {
			var want []string
			leads := strings.HasSuffix(r.Type, "RouteConfiguration") && !r.Placeholder
			if leads && opts.Upstreams != UpstreamsDNS { // There the name may come to stand for any other.
				want = []string{"docs_web_80_cluster"}
			}
			if !slices.Equal(r.Needs, want) {
				t.Errorf("%v: %s needs %v, want %v", opts, r.Name, r.Needs, want)
			}
		}
	}
}

func TestSendingAgainChangesNothingButTheNameOfTheRoutes(t *testing.T) {
	d := NewWorld(Options{}).Apply(changesOf(docsSite()))
	for _, r := range d.Resources {
		if r.Type != scopeType {
			if r.Again != nil {
				t.Errorf("%s can be sent again in other bytes", r.Name)
			}
			continue
		}
		for n := 1; n <= 2; n++ {
			again := r.Again(proto.Clone(r.Message), n)
			routes := again.ProtoReflect().Interface()
			if got, want := routeName(routes), fmt.Sprintf("docs.example.com#%d", n); got != want {
				t.Errorf("the routes are named %s, want %s", got, want)
			}
			rename(routes, "docs.example.com")
			if string(encode(routes)) != string(encode(r.Message)) {
				t.Errorf("attempt %d differs in more than a name: %v", n, again)
			}
		}
	}
}

// There are as many scopes as sites, in every proxy.
func TestScopeIsSmall(t *testing.T) {
	for _, r := range NewWorld(Options{}).Apply(changesOf(docsSite(), docsService())).Resources {
		if r.Type == scopeType && len(encode(r.Message)) > 450 {
			t.Errorf("%s has %d bytes", r.Name, len(encode(r.Message)))
		}
	}
}
