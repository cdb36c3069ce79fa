package translate

// KindKept is the kind of a Kept. It comes from no source: proxies cause it.
const KindKept Kind = "KeptCluster"

// Kept is a cluster that is served, with its endpoints, whether a site leads to it or
// not: some proxy refused what a site became, and the form that it goes on with leads
// there.
type Kept struct{ Cluster string }

// Ref returns the cluster's identity.
func (k *Kept) Ref() Ref { return Ref{Kind: KindKept, Key: Key{Name: k.Cluster}} }

// takeKept counts what is kept among those that lead to its cluster.
func (b *batch) takeKept(name string, kept bool) {
	service, port, ok := ServiceOf(name)
	if !ok || kept == b.w.kept[name] {
		return
	}
	leads := scope{service: service, port: port}
	if kept {
		b.w.kept[name] = true
		b.enter(leads)
	} else {
		delete(b.w.kept, name)
		b.leave(leads)
	}
}
