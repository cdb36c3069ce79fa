package translate

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// Who may claim which domain? A namespace that is selected by policies may claim
// the domains that these list and no others; any other namespace may claim what
// no policy reserves. So policies add up, and which came first never matters.

// grants are what all policies together say, with what they are matched against
// in indexes. A World without policies has none, so that they cost it nothing.
type grants struct {
	reserved map[DomainMatch][]*policy // by whom, by name
	byLabel  map[label][]*policy       // those that select only namespaces with a certain label
	anyLabel []*policy                 // the others

	tenants map[string]*tenant // the namespaces in which there are sites
	claimed names              // the names in World.domains
}

// A tenant is a namespace and its sites.
type tenant struct {
	name     string
	sites    map[*site]struct{}
	policies []*policy // that select it, by name
}

type label struct{ key, value string }

// newGrants returns the grants of a World that has no policies yet.
func newGrants(w *World) *grants {
	g := &grants{
		reserved: make(map[DomainMatch][]*policy),
		byLabel:  make(map[label][]*policy),
		tenants:  make(map[string]*tenant),
	}
	for s := range w.sites.All() {
		g.tenantOf(s)
	}
	for name := range w.domains {
		g.claimed.add(name)
	}
	return g
}

// tenantOf returns the tenant of a site, which becomes one of its sites.
func (g *grants) tenantOf(s *site) *tenant {
	t := g.tenants[s.key.Namespace]
	if t == nil {
		t = &tenant{name: s.key.Namespace, sites: make(map[*site]struct{})}
		g.tenants[t.name] = t
	}
	t.sites[s] = struct{}{}
	return t
}

// permits says whether a namespace may claim a domain.
func (w *World) permits(namespace, domain string) bool {
	return w.grants == nil || w.grants.permits(w.grants.tenants[namespace], domain)
}

func (g *grants) permits(t *tenant, domain string) bool {
	if len(t.policies) > 0 {
		return slices.ContainsFunc(t.policies, func(p *policy) bool { return p.good.covers(domain) })
	}
	return g.reserver(domain) == nil
}

// reserver returns the policy that reserves a domain, of several the first by
// name; nil if none does.
func (g *grants) reserver(domain string) *policy {
	found := firstOf(g.reserved[DomainMatch{Exact: domain}])
	for suffix := range suffixesOf(domain) {
		if p := firstOf(g.reserved[DomainMatch{Suffix: suffix}]); found == nil || p != nil && p.name < found.name {
			found = p
		}
	}
	return found
}

// firstOf returns the first of a list that may be empty.
func firstOf(policies []*policy) *policy {
	if len(policies) == 0 {
		return nil
	}
	return policies[0]
}

func comparePolicies(x, y *policy) int { return strings.Compare(x.name, y.name) }

// selecting returns the policies that select a namespace with these labels, by
// name.
func (g *grants) selecting(set labels.Set) []*policy {
	var selecting []*policy
	consider := func(policies []*policy) {
		for _, p := range policies {
			if p.good.selector.Matches(set) {
				selecting = append(selecting, p)
			}
		}
	}
	consider(g.anyLabel)
	for key, value := range set {
		consider(g.byLabel[label{key, value}])
	}
	slices.SortFunc(selecting, comparePolicies)
	return selecting
}

// add takes in a policy that has become good.
func (g *grants) add(p *policy) {
	if p.good.reserves {
		for _, match := range p.good.domains {
			at, _ := slices.BinarySearchFunc(g.reserved[match], p, comparePolicies)
			g.reserved[match] = slices.Insert(g.reserved[match], at, p)
		}
	}
	required := requiredLabels(p.good.selector)
	for _, l := range required {
		g.byLabel[l] = append(g.byLabel[l], p)
	}
	if len(required) == 0 {
		g.anyLabel = append(g.anyLabel, p)
	}
}

// remove is the opposite of add, while p.good is still what it was then.
func (g *grants) remove(p *policy) {
	for _, match := range p.good.domains {
		without(g.reserved, match, p)
	}
	for _, l := range requiredLabels(p.good.selector) {
		without(g.byLabel, l, p)
	}
	g.anyLabel = slices.DeleteFunc(g.anyLabel, func(o *policy) bool { return o == p })
}

func without[K comparable](index map[K][]*policy, key K, p *policy) {
	index[key] = slices.DeleteFunc(index[key], func(o *policy) bool { return o == p })
	if len(index[key]) == 0 {
		delete(index, key)
	}
}

// requiredLabels returns labels of which a namespace must have exactly one to be
// selected; none if there is no such list.
func requiredLabels(selector labels.Selector) []label {
	requirements, _ := selector.Requirements()
	for _, r := range requirements {
		if op := r.Operator(); op == selection.Equals || op == selection.In {
			var required []label
			for value := range r.Values() {
				required = append(required, label{r.Key(), value})
			}
			return required
		}
	}
	return nil
}

// labelsOf returns the labels of a namespace, known or not.
func (w *World) labelsOf(namespace string) labels.Set {
	if set, known := w.labels[namespace]; known {
		return set
	}
	return withName(nil, namespace)
}

// withName adds the label that the API server gives to every namespace.
func withName(set map[string]string, namespace string) labels.Set {
	named := make(labels.Set, len(set)+1)
	maps.Copy(named, set)
	named[corev1.LabelMetadataName] = namespace
	return named
}
