package claims

import (
	"cmp"
	"slices"
	"time"
)

// Whose domain is it? (docs/decisions.md, "Whose domain is it?") Of the sites that
// claim a domain, and whose namespaces may claim it: the site that held the domain
// already, then the oldest, then the first by namespace and name.
//
// A site whose specification is invalid claims what it held, so that a typo costs
// nobody a domain. It gives way only to a valid site that held the domain as well,
// because then its own record is out of date.
//
// All of this is in the objects, so every replica and every restart decides the
// same.

// compare is a total order of claims on a domain, the best first: no two sites have
// one key.
func compare(x, y *Claim, domain string) int {
	return cmp.Or(
		cmp.Compare(x.rank(domain), y.rank(domain)),
		oldestFirst(x.Created, y.Created),
		x.Key.Compare(y.Key),
	)
}

// rank says how good a claim on a domain is, the best being 0.
func (c *Claim) rank(domain string) int {
	switch held := slices.Contains(c.Held, domain); {
	case held && c.Valid:
		return 0
	case held:
		return 1
	}
	return 2
}

// oldestFirst orders by age. What has no age (a file) counts as youngest, so that
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
