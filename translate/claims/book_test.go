package claims

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"my-company.com/staticsite-operator/object"
)

// tenantSite is a site as the owner of a Book has it.
type tenantSite struct{ claim Claim }

func (s *tenantSite) Claim() *Claim { return &s.claim }

// size is how many things a Book remembers.
func size(b *Book[*tenantSite, int]) int {
	n := len(b.domains) + len(b.policies) + len(b.labels) + len(b.decide) + len(b.concerns) + len(b.changed) + len(b.marks.reserved) + len(b.marks.tenants)
	for _, d := range b.domains {
		n += len(d.claimants)
	}
	if g := b.grants; g != nil {
		n += 1 + len(g.reserved) + len(g.byLabel) + len(g.anyLabel) + len(g.tenants) + len(g.claimed.below)
		for _, t := range g.tenants {
			n += len(t.sites)
		}
	}
	return n
}

// A Book remembers nothing of sites, policies and namespaces that are gone,
// whatever order they come and go in.
func TestBookForgets(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		b := NewBook[*tenantSite, int]()
		sites := make([]*tenantSite, 4)
		for i := range sites {
			sites[i] = new(tenantSite)
		}
		domain := func() string { return []string{"a.example.com", "b.example.com", "example.org"}[rng.IntN(3)] }
		change := func(i int) {
			s := &object.Site{Key: object.Key{Namespace: fmt.Sprint("team-", i%2), Name: fmt.Sprint(i)}}
			switch rng.IntN(4) {
			case 0:
				b.Change(sites[i], Claim{})
			case 1: // invalid from the first: it claims nothing
				b.Change(sites[i], ClaimOf(s, "", nil, false))
			case 2: // withheld
				b.Change(sites[i], ClaimOf(s, "", []string{"a.example.com", "b.example.com"}, false))
			case 3:
				b.Change(sites[i], ClaimOf(s, domain(), []string{domain()}, true))
			}
		}
		policy := func(i int) {
			p := &object.Policy{Mode: []string{"Permit", "Reserve"}[rng.IntN(2)], Domains: []object.DomainMatch{{Suffix: "example.com"}}}
			if rng.IntN(2) == 0 {
				p.Selector.MatchLabels = map[string]string{"team": fmt.Sprint(rng.IntN(2))}
			}
			if problems := b.Policy(fmt.Sprint(i), p); len(problems) > 0 {
				t.Fatal(problems)
			}
		}
		for range 30 {
			switch rng.IntN(6) {
			case 0:
				policy(rng.IntN(2))
			case 1:
				b.Policy(fmt.Sprint(rng.IntN(2)), nil)
			case 2:
				b.Namespace(fmt.Sprint("team-", rng.IntN(2)), &object.Namespace{Labels: map[string]string{"team": fmt.Sprint(rng.IntN(2))}})
			default:
				change(rng.IntN(len(sites)))
			}
			if rng.IntN(3) == 0 {
				b.Decide()
			}
		}
		for _, s := range sites {
			b.Change(s, Claim{})
		}
		b.Decide()
		if g := b.grants; g != nil && (len(g.tenants) > 0 || len(g.claimed.below) > 0) {
			t.Fatalf("seed %d: no site is left, and with policies %v %v are remembered", seed, g.tenants, g.claimed)
		}
		for i := range 2 {
			b.Policy(fmt.Sprint(i), nil)
			b.Namespace(fmt.Sprint("team-", i), nil)
		}
		b.Decide()
		if n := size(b); n != 0 {
			t.Fatalf("seed %d: everything is gone, and %d things are remembered", seed, n)
		}
	}
}
