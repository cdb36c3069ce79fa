package control

import (
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"github.com/google/go-cmp/cmp"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// A domain that passes to a site whose last good form nobody knows answers with
// the page that says so, and not as the site did that had it before.
func TestAPlaceholderDoesNotKeepAnothersRoutes(t *testing.T) {
	mistaken := newSite("mistaken", "docs_")
	mistaken.Held = []string{"docs.example.com"}
	alone, w := newWorld(t), newWorld(t)
	alone.put(service(), mistaken)

	before := newSite("before", "docs.example.com")
	w.put(service(), before)
	w.proxy(1, nil)
	name := xds.ResourceName{Type: xds.ScopedRoute, Name: "docs.example.com"}
	had := w.store.Latest().VersionOf(name)
	w.put(mistaken) // It was recorded as the holder, and the other not yet.
	w.expect("before", "Accepted", "False", "DomainConflict", "")

	if got, want := w.store.Latest().VersionOf(name), alone.store.Latest().VersionOf(name); got != want {
		t.Errorf("the domain is served as %s, want the placeholder %s", got, want)
	}
	returns := xds.NewDeltaSession(w.store.Latest(), time.Hour, 0)
	returns.Request(&xds.Request{Type: xds.ScopedRoute, Subscribe: []string{"*"}, Claims: []xds.Claim{{Name: name.Name, Version: had}}})
	if _, response := returns.Next(time.Unix(0, 0)); response == nil || len(response.Upserts) != 1 {
		t.Errorf("a proxy that was away meanwhile is sent %+v", response)
	}
	w.apply(map[object.Ref]object.Object{mistaken.Ref(): nil})
	w.proxy(1, nil)
	w.expect("before", "Programmed", "True", "Programmed", "")
}

// In upstreams dns a cluster is withdrawn when its Service comes to stand for another
// name. That reaches every proxy, also one that has, of a site of somebody else, a
// form that this server does not know and so might need any cluster.
func TestAWithdrawnClusterIsKeptForNobody(t *testing.T) {
	w := worldOf(t, translate.Options{Upstreams: translate.UpstreamsDNS})
	invalid := newSite("invalid", "docs_")
	invalid.Held = []string{"docs.example.com"}
	w.put(service(), newSite("turns", "turns.example.com"), invalid)
	cluster := xds.Claim{Name: "docs_web_80_cluster"}
	cluster.Version = w.store.Latest().VersionOf(xds.ResourceName{Type: xds.Cluster, Name: cluster.Name})

	proxy := xds.NewDeltaSession(w.store.Latest(), time.Second, 0)
	proxy.Request(&xds.Request{Type: xds.Cluster, Claims: []xds.Claim{cluster, {Name: "docs_gone_80_cluster", Version: "1"}}})
	proxy.Request(&xds.Request{Type: xds.Listener})
	proxy.Request(&xds.Request{Type: xds.Route})
	proxy.Request(&xds.Request{Type: xds.ScopedRoute, Claims: []xds.Claim{{Name: "docs.example.com", Version: "before"}}})
	w.answer(proxy, nil)

	external := service()
	external.Type = "ExternalName"
	w.put(external)
	if !w.answer(proxy, nil)[xds.ResourceName{Type: xds.Cluster, Name: cluster.Name}] {
		t.Error("the proxy keeps the cluster of a Service that stands for another name now")
	}
}

// A proxy refuses what a site becomes, and goes on with the form before. As long as it
// does, the endpoints that this form leads to follow the pods, though no site leads
// there any more: a pod's address may soon be that of another tenant's pod.
func TestEndpointsOfAnOldFormMove(t *testing.T) {
	w := newWorld(t)
	pods := func(address string) *object.Slice {
		return &object.Slice{Key: object.Key{Namespace: "docs", Name: "web-1"}, Service: "web", AddressType: "IPv4",
			Ports: []object.SlicePort{{Port: 8080}}, Endpoints: []object.Endpoint{{Address: address, Ready: true}}}
	}
	site := newSite("docs", "docs.example.com")
	w.put(service(), pods("10.0.0.1"), site)
	old := "docs_web_80_cluster"
	proxy := xds.NewDeltaSession(w.store.Latest(), time.Second, 0)
	proxy.Request(&xds.Request{Type: xds.Cluster})
	proxy.Request(&xds.Request{Type: xds.Endpoint, Subscribe: []string{old}})
	proxy.Request(&xds.Request{Type: xds.Listener})
	proxy.Request(&xds.Request{Type: xds.ScopedRoute})
	w.answer(proxy, nil)

	moved := *site
	moved.Service = "bad"
	w.put(&moved)
	w.answer(proxy, func(t xds.Type) bool { return t == xds.ScopedRoute })
	w.proxy(1, map[xds.ResourceName]xds.Exception{{Type: xds.ScopedRoute, Name: "docs.example.com"}: {Refused: true}})
	if name := (xds.ResourceName{Type: xds.Cluster, Name: old}); w.store.Latest().VersionOf(name) == "" {
		t.Errorf("%v is not served to a proxy that starts now", name)
	}
	w.answer(proxy, nil)
	w.put(pods("10.0.0.2"))
	if !w.answer(proxy, nil)[xds.ResourceName{Type: xds.Endpoint, Name: old}] {
		t.Error("the proxy goes on with pods that are gone")
	}

	mended := *site
	mended.Service = "good"
	w.put(&mended)
	for _, typ := range []xds.Type{xds.Cluster, xds.Endpoint} {
		if name := (xds.ResourceName{Type: typ, Name: old}); w.store.Latest().VersionOf(name) != "" {
			t.Errorf("%v is served, and nobody needs it any more", name)
		}
	}
}

// answer has a proxy answer all that it is sent, and returns what that was about. It
// refuses types.
func (w *world) answer(proxy *xds.Session, refuses func(xds.Type) bool) map[xds.ResourceName]bool {
	said := make(map[xds.ResourceName]bool)
	for {
		proxy.Publish(w.store.Latest())
		typ, response := proxy.Next(w.now)
		for _, e := range proxy.Events() {
			w.store.Suspect(e.Resource, e.Has)
		}
		if response == nil {
			return said
		}
		for _, r := range response.Upserts {
			said[xds.ResourceName{Type: typ, Name: r.Name}] = true
		}
		for _, name := range response.Removes {
			said[xds.ResourceName{Type: typ, Name: name}] = true
		}
		proxy.Request(&xds.Request{Type: typ, Nonce: response.Nonce, Refused: refuses != nil && refuses(typ)})
	}
}

// Of a resource that cannot be encoded nothing is published, not even what an
// earlier part of the batch made of it; and of one that can be in the end, all is.
func TestWhatIsWithheldLeavesNoEarlierForm(t *testing.T) {
	w := newWorld(t)
	cluster := func(name, called string) translate.Resource {
		return translate.Resource{Type: xds.Cluster.URL(), Name: name, Message: &clusterv3.Cluster{Name: called}}
	}
	invalid := make(map[xds.ResourceName]error)
	changes := w.encode(nil, []translate.Resource{cluster("good", "good"), cluster("bad", "bad"), cluster("late", "another")}, invalid)
	changes = w.encode(changes, []translate.Resource{cluster("bad", "another"), cluster("late", "late")}, invalid)
	var names []string
	for _, c := range changes {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"good", "late"}, names); diff != "" {
		t.Errorf("what is published (-want +got):\n%s", diff)
	}
	if len(invalid) != 1 || invalid[xds.ResourceName{Type: xds.Cluster, Name: "bad"}] == nil {
		t.Errorf("withheld are %v", invalid)
	}
}
