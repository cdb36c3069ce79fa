package translate

const NoHost = noHost

// Size is how many things a World remembers.
func (w *World) Size() int {
	n := w.sites.Len() + len(w.domains) + w.backends.Len() + w.slices.Len() + len(w.table)
	for _, d := range w.domains {
		n += len(d.claimants)
	}
	for be := range w.backends.All() {
		n += len(be.slices) + len(be.sites) + len(be.clusters)
	}
	n += len(w.policies) + len(w.labels)
	if g := w.grants; g != nil {
		n += 1 + len(g.reserved) + len(g.byLabel) + len(g.anyLabel) + len(g.tenants) + len(g.claimed.below)
	}
	return n
}
