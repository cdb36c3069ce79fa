package translate_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	. "my-company.com/staticsite-operator/object"
)

// The reference model of docs/decisions.md, "Whose domain is it?", and of the one sentence
// that says what policies mean. It is slow and looks at everything.

// holders returns who holds each domain. Objects are as of now, good are the last
// valid forms of policies.
func holders(objects, good map[Ref]Object) map[string]*Site {
	holders := make(map[string]*Site)
	for _, o := range objects {
		s, isSite := o.(*Site)
		if !isSite {
			continue
		}
		wants := s.Held
		if valid(s) {
			wants = []string{normal(s.Domain)}
		}
		for _, domain := range wants {
			best := holders[domain]
			if permitted(objects, good, s.Namespace, domain) && (best == nil || better(s, best, domain)) {
				holders[domain] = s
			}
		}
	}
	return holders
}

// better says whether x has the better claim: who holds the domain and still names
// it, who holds it, who asks; then the older, then the first by name.
func better(x, y *Site, domain string) bool {
	rank := func(s *Site) int {
		switch held := slices.Contains(s.Held, domain); {
		case held && valid(s):
			return 0
		case held:
			return 1
		}
		return 2
	}
	born := func(s *Site) time.Time {
		if s.Created.IsZero() {
			return time.Unix(1<<40, 0) // what has no age is youngest
		}
		return s.Created
	}
	return cmp.Or(rank(x)-rank(y), born(x).Compare(born(y)), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name)) < 0
}

// permitted: a namespace that is selected by policies may claim the domains that
// these list and no others; any other namespace may claim what no policy
// reserves.
func permitted(objects, good map[Ref]Object, namespace, domain string) bool {
	selected, listed, reserved := false, false, false
	for _, o := range good {
		p, isPolicy := o.(*Policy)
		if !isPolicy {
			continue
		}
		selects := selectsNamespace(p, objects, namespace)
		covers := slices.ContainsFunc(p.Domains, func(m DomainMatch) bool {
			return normal(m.Exact) == domain || m.Suffix != "" && strings.HasSuffix("."+domain, "."+normal(m.Suffix))
		})
		selected, listed, reserved = selected || selects, listed || selects && covers, reserved || covers && p.Mode == "Reserve"
	}
	return selected && listed || !selected && !reserved
}

// selectsNamespace knows the selectors of a history only.
func selectsNamespace(p *Policy, objects map[Ref]Object, namespace string) bool {
	team := ""
	if n, _ := objects[Ref{Kind: KindNamespace, Key: Key{Name: namespace}}].(*Namespace); n != nil {
		team = n.Labels["team"]
	}
	for key, value := range p.Selector.MatchLabels {
		if key == "team" && value != team || key == "kubernetes.io/metadata.name" && value != namespace {
			return false
		}
	}
	for _, e := range p.Selector.MatchExpressions {
		if (e.Operator == "In") != slices.Contains(e.Values, team) {
			return false
		}
	}
	return true
}

func normal(domain string) string { return strings.ToLower(strings.TrimSuffix(domain, ".")) }

// checkClaims compares all verdicts with the model.
func checkClaims(s *state, h *history) error {
	holders, held := holders(h.objects, h.good), 0
	for domain, owner := range holders {
		if v := s.verdicts[owner.Key]; !slices.Contains(v.Holds, domain) {
			return fmt.Errorf("%s should belong to %s: %+v", domain, owner.Key, v)
		}
	}
	for key, v := range s.verdicts {
		held += len(v.Holds)
		site := h.objects[Ref{Kind: KindSite, Key: key}].(*Site)
		if !valid(site) {
			continue
		}
		domain, want := normal(site.Domain), "Accepted"
		if !permitted(h.objects, h.good, key.Namespace, domain) {
			want = "DomainNotPermitted"
		} else if holders[domain] != site {
			want = "DomainConflict"
		}
		if v.Accepted.Reason != want || (want == "Accepted") != (len(v.Resources) > 0) {
			return fmt.Errorf("%s should be %s: %+v", key, want, v)
		}
	}
	if held != len(holders) {
		return fmt.Errorf("%d domains are held, %d should be", held, len(holders))
	}
	return nil
}
