package translate

import (
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/spec"
)

// KindKept is the kind of a Kept. It comes from no source: proxies cause it.
const KindKept object.Kind = "KeptCluster"

// Kept is a cluster that is served, with its endpoints, whether a site leads to it or
// not: some proxy refused what a site became, and the form that it goes on with leads
// there.
type Kept struct{ Cluster string }

// Ref returns the cluster's identity.
func (k *Kept) Ref() object.Ref { return object.Ref{Kind: KindKept, Key: object.Key{Name: k.Cluster}} }

// takeKept counts what is kept among those that lead to its cluster.
func (b *batch) takeKept(name string, kept bool) {
	service, port, ok := envoy.ServiceOf(name)
	if !ok || kept == b.w.kept[name] {
		return
	}
	to := spec.Backend{Service: service, Port: port}
	if kept {
		b.w.kept[name] = true
		b.use(to)
	} else {
		delete(b.w.kept, name)
		b.disuse(to)
	}
}
