package translate

// Size is how many things a World remembers.
func (w *World) Size() int {
	n := w.sites.Len() + w.backends.Len() + w.slices.Len() + len(w.table)
	for domain := range w.claims.Domains() {
		n += 1 + len(w.claims.Claimants(domain))
	}
	for be := range w.backends.All() {
		n += be.Slices() + len(be.sites) + len(be.clusters)
	}
	return n
}
