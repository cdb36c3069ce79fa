package claims

import (
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"my-company.com/staticsite-operator/object"
)

// A Claim is what one site claims. The zero Claim claims nothing.
type Claim struct {
	*object.Site          // nil: the site does not exist
	Valid        bool     // its specification is valid
	Held         []string // status.domains, normalised and sorted
	Domains      []string // that it claims, sorted
}

// ClaimOf returns what a site claims: its domain if its specification is valid,
// else the domains that it held, so that nobody takes them while its owner mends
// the specification. Domain and held are in normal form, held is sorted.
func ClaimOf(s *object.Site, domain string, held []string, valid bool) Claim {
	c := Claim{Site: s, Valid: valid, Held: held, Domains: held}
	if valid && !(len(held) == 1 && held[0] == domain) {
		c.Domains = []string{domain}
	}
	return c
}

// A Claimant is a site, as the owner of the Book knows it. Its Claim is written by
// the Book alone.
type Claimant interface {
	comparable
	Claim() *Claim
}

// A Book is all claims on domains, and who holds each domain. S is a site; D is
// what the owner of the Book keeps with each domain.
//
// Invariant, between Decide and the next change: every domain that some site claims
// has its entry, and Holder is the first of the claimants that policies permit.
type Book[S Claimant, D any] struct {
	domains map[string]*Domain[S, D]

	policies map[string]*policy
	labels   map[string]labels.Set // of namespaces that are known
	grants   *grants[S]            // nil while there are no policies, so that these cost nothing

	marks[S]
}

// A Domain is one host name and who claims it.
type Domain[S Claimant, D any] struct {
	Holder    S // the zero value: nobody claims the domain who may
	Served    D // the owner's
	claimants []S
}

// marks are what changed since the last Decide.
type marks[S Claimant] struct {
	decide   map[string]struct{}            // domains to decide again
	concerns map[S]struct{}                 // sites whose verdict may be different
	changed  map[*policy]struct{}           // policies that changed
	reserved map[object.DomainMatch]*policy // by whom, before the change, what changed policies list; nil for nobody
	tenants  map[*tenant[S]]struct{}        // to match with policies again
}

func newMarks[S Claimant]() marks[S] {
	return marks[S]{
		decide:   make(map[string]struct{}),
		concerns: make(map[S]struct{}),
		changed:  make(map[*policy]struct{}),
		reserved: make(map[object.DomainMatch]*policy),
		tenants:  make(map[*tenant[S]]struct{}),
	}
}

// NewBook returns a Book without claims.
func NewBook[S Claimant, D any]() *Book[S, D] {
	return &Book[S, D]{
		domains:  make(map[string]*Domain[S, D]),
		policies: make(map[string]*policy),
		labels:   make(map[string]labels.Set),
		marks:    newMarks[S](),
	}
}

// Change replaces the claim of a site, and marks the domains of both.
func (b *Book[S, D]) Change(s S, claim Claim) {
	c := s.Claim()
	b.withdraw(s, c.Domains)
	switch before, now := len(c.Domains) > 0, len(claim.Domains) > 0; {
	case now && !before:
		b.settleIn(s, claim.Namespace)
	case before && !now:
		b.moveOut(s, c.Namespace)
	}
	*c = claim
	b.enter(s, c.Domains)
}

func (b *Book[S, D]) withdraw(s S, domains []string) {
	for _, name := range domains {
		d := b.domains[name]
		i := slices.Index(d.claimants, s)
		d.claimants = slices.Delete(d.claimants, i, i+1)
		b.decide[name] = struct{}{}
	}
}

func (b *Book[S, D]) enter(s S, domains []string) {
	for _, name := range domains {
		d := b.domains[name]
		if d == nil {
			d = &Domain[S, D]{}
			b.domains[name] = d
			if b.grants != nil {
				b.grants.claimed.add(name)
			}
		}
		d.claimants = append(d.claimants, s)
		b.decide[name] = struct{}{}
	}
}

// Decided is what Decide has looked at.
type Decided[S Claimant, D any] struct {
	Domains map[string]*Domain[S, D] // those that were decided again, with or without a different holder
	Sites   map[S]struct{}           // those whose verdict may be different
}

// Decide finds the holder of every domain that was marked. Domains that nobody
// claims any more are returned once and then forgotten.
func (b *Book[S, D]) Decide() Decided[S, D] {
	b.grant()
	domains := make(map[string]*Domain[S, D], len(b.decide))
	var nobody S
	for name := range b.decide {
		d := b.domains[name]
		domains[name] = d
		if holder := b.first(d.claimants, name); holder != d.Holder {
			if d.Holder != nobody {
				b.concerns[d.Holder] = struct{}{}
			}
			for _, s := range d.claimants {
				b.concerns[s] = struct{}{} // Those who lose are told who has the domain.
			}
			d.Holder = holder
		}
		if len(d.claimants) == 0 {
			b.forget(name)
		}
	}
	decided := Decided[S, D]{domains, b.concerns}
	b.marks = newMarks[S]()
	if len(b.policies) == 0 {
		b.grants = nil
	}
	return decided
}

func (b *Book[S, D]) forget(name string) {
	delete(b.domains, name)
	if b.grants != nil {
		b.grants.claimed.remove(name)
	}
}

// first returns the claimant that goes before all others, of those that may claim
// the domain; the zero value if there is none.
func (b *Book[S, D]) first(claimants []S, domain string) S {
	var best, none S
	for _, s := range claimants {
		if (best == none || compare(s.Claim(), best.Claim(), domain) < 0) && b.Permits(s.Claim().Namespace, domain) {
			best = s
		}
	}
	return best
}

// Holder returns who holds a domain; the zero value if nobody does.
func (b *Book[S, D]) Holder(domain string) (holder S) {
	if d := b.domains[domain]; d != nil {
		return d.Holder
	}
	return holder
}

// Claimants returns who claims a domain: the holder first, then the others in the
// order in which they would get it.
func (b *Book[S, D]) Claimants(domain string) []S {
	d := b.domains[domain]
	if d == nil {
		return nil
	}
	return slices.SortedFunc(slices.Values(d.claimants), func(x, y S) int {
		switch d.Holder {
		case x:
			return -1
		case y:
			return 1
		}
		return compare(x.Claim(), y.Claim(), domain)
	})
}

// Held returns the domains that a site claims and holds.
func (b *Book[S, D]) Held(s S) (held []string) {
	claimed := s.Claim().Domains
	for _, name := range claimed {
		if b.domains[name].Holder == s {
			held = append(held, name)
		}
	}
	if len(held) == len(claimed) {
		return claimed // the same words once
	}
	return held
}

// Domains yields every domain that is claimed.
func (b *Book[S, D]) Domains() map[string]*Domain[S, D] { return b.domains }
