package translate

import (
	"cmp"
	"slices"
	"time"
)

// Whose domain is it? (api.md.) Among the sites whose specification names it,
// and whose namespace may claim it (grants.go): who held it already, then the
// oldest, then the first by namespace and name. A site whose specification is
// invalid claims what it held, so that a typo costs nobody his domain; only to
// one that held it too and still names it does it give way, for then its own
// record is out of date. All of this is in the objects, so every replica and
// every restart decides the same.

// decideClaims finds the holder of every domain whose claims changed.
func (b *batch) decideClaims() {
	for name := range b.domains {
		d := b.w.domains[name]
		holder := b.w.first(d.claimants, name)
		if holder == d.holder {
			continue
		}
		if d.holder != nil {
			b.sites[d.holder] = struct{}{}
		}
		for _, s := range d.claimants {
			b.sites[s] = struct{}{} // Those who lose are told who has it.
		}
		d.holder = holder
	}
}

// first returns the claimant that goes before all others, of those that may
// claim the domain; nil if there is none.
func (w *World) first(claimants []*site, domain string) *site {
	var best *site
	for _, s := range claimants {
		if (best == nil || compareClaims(s, best, domain) < 0) && w.permits(s.key.Namespace, domain) {
			best = s
		}
	}
	return best
}

// compareClaims is a total order: no two sites have one key.
func compareClaims(x, y *site, domain string) int {
	return cmp.Or(
		cmp.Compare(x.rank(domain), y.rank(domain)),
		oldestFirst(x.Created, y.Created),
		compareKeys(x.key, y.key),
	)
}

// rank says how good a claim of s on a domain is, the best being 0.
func (s *site) rank(domain string) int {
	switch held := slices.Contains(s.held, domain); {
	case held && s.spec.valid():
		return 0
	case held:
		return 1
	}
	return 2
}

// oldestFirst orders by age. What has none (a file) counts as youngest, so that
// the order stays total where both kinds meet.
func oldestFirst(x, y time.Time) int {
	switch {
	case x.IsZero() && y.IsZero():
		return 0
	case x.IsZero():
		return 1
	case y.IsZero():
		return -1
	}
	return x.Compare(y)
}
