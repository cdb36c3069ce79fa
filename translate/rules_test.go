package translate_test

import (
	"testing"

	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// Tests of the rules of docs/protocol-rules.md that are held here.

// A cluster without endpoints has an assignment all the same, an empty one:
// Envoy would wait for it.
func TestRule26(t *testing.T) {
	w := NewWorld(Options{})
	assignment := func(d Delta) *endpoint.ClusterLoadAssignment {
		t.Helper()
		for _, r := range d.Resources {
			if r.Name == "docs_web_80_cluster" && short(r.Type) == "ClusterLoadAssignment" {
				return r.Message.(*endpoint.ClusterLoadAssignment)
			}
		}
		t.Fatalf("no assignment in %q", outline(d))
		return nil
	}
	if a := assignment(w.Apply(changesOf(docsSite()))); len(a.GetEndpoints()) != 0 {
		t.Errorf("without a Service: %v", a)
	}
	if a := assignment(w.Apply(changesOf(docsService(), docsSlice("10.0.0.1")))); len(a.GetEndpoints()) == 0 {
		t.Errorf("with a pod: %v", a)
	}
	if a := assignment(w.Apply(map[Ref]Object{docsSlice().Ref(): nil})); len(a.GetEndpoints()) != 0 {
		t.Errorf("without pods: %v", a)
	}
}

// A cluster is named for what it is, not for where it stands: others that come
// before it or go change nothing of it, nor does a port in the same Service.
func TestRule57(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService()))
	first := docsSite()
	first.Namespace, first.Name, first.Domain = "aaa", "aaa", "aaa.example.com"
	other := &Service{Key: Key{Namespace: "aaa", Name: "web"}, Ports: []ServicePort{{Port: 80}}}
	expect(t, w.Apply(changesOf(first, other)),
		"+Cluster aaa_web_80_cluster", "+ClusterLoadAssignment aaa_web_80_cluster", "+ScopedRouteConfiguration aaa.example.com",
		"verdict aaa/aaa Accepted ResolvedRefs")
	ports := docsService()
	ports.Ports = []ServicePort{{Port: 79}, {Port: 80}}
	expect(t, w.Apply(changesOf(ports)))
	expect(t, w.Apply(map[Ref]Object{first.Ref(): nil, other.Ref(): nil}),
		"-Cluster aaa_web_80_cluster", "-ClusterLoadAssignment aaa_web_80_cluster", "-ScopedRouteConfiguration aaa.example.com",
		"verdict aaa/aaa gone")
}
