package control

import (
	"slices"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"github.com/google/go-cmp/cmp"

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
	w.apply(map[translate.Ref]translate.Object{mistaken.Ref(): nil})
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

	proxy, removed := xds.NewDeltaSession(w.store.Latest(), time.Second, 0), false
	converse := func() {
		for {
			t, response := proxy.Next(w.now)
			if response == nil {
				return
			}
			removed = removed || t == xds.Cluster && slices.Contains(response.Removes, cluster.Name)
			proxy.Request(&xds.Request{Type: t, Nonce: response.Nonce})
		}
	}
	proxy.Request(&xds.Request{Type: xds.Cluster, Claims: []xds.Claim{cluster, {Name: "docs_gone_80_cluster", Version: "1"}}})
	proxy.Request(&xds.Request{Type: xds.Listener})
	proxy.Request(&xds.Request{Type: xds.ScopedRoute, Claims: []xds.Claim{{Name: "docs.example.com", Version: "before"}}})
	converse()

	external := service()
	external.Type = "ExternalName"
	w.put(external)
	proxy.Publish(w.store.Latest())
	converse()
	if !removed {
		t.Error("the proxy keeps the cluster of a Service that stands for another name now")
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
