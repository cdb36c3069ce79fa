package claims

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"my-company.com/staticsite-operator/object"
)

// Who may claim which domain? A namespace that is selected by policies may claim
// the domains that these list and no others; any other namespace may claim what
// no policy reserves. So policies add up, and which came first never matters.

// grants are what all policies together say, with what they are matched against
// in indexes. A Book without policies has none.
type grants[S Claimant] struct {
	reserved map[object.DomainMatch][]*policy // by whom, by name
	byLabel  map[label][]*policy              // those that select only namespaces with a certain label
	anyLabel []*policy                        // the others

	tenants map[string]*tenant[S] // the namespaces in which there are sites
	claimed names                 // the names in Book.domains
}

// A tenant is a namespace and its sites.
type tenant[S Claimant] struct {
	name     string
	sites    map[S]struct{}
	policies []*policy // that select it, by name
}

type label struct{ key, value string }

// newGrants returns the grants of a Book that has no policies yet.
func (b *Book[S, D]) newGrants() *grants[S] {
	g := &grants[S]{
		reserved: make(map[object.DomainMatch][]*policy),
		byLabel:  make(map[label][]*policy),
		tenants:  make(map[string]*tenant[S]),
	}
	for name, d := range b.domains {
		g.claimed.add(name)
		for _, s := range d.claimants {
			g.tenantOf(s, s.Claim().Namespace)
		}
	}
	return g
}

// tenantOf returns the tenant of a site, which becomes one of its sites.
func (g *grants[S]) tenantOf(s S, namespace string) *tenant[S] {
	t := g.tenants[namespace]
	if t == nil {
		t = &tenant[S]{name: namespace, sites: make(map[S]struct{})}
		g.tenants[t.name] = t
	}
	t.sites[s] = struct{}{}
	return t
}

// Permits reports whether a namespace may claim a domain.
func (b *Book[S, D]) Permits(namespace, domain string) bool {
	return b.grants == nil || b.grants.permits(b.grants.tenants[namespace], domain)
}

func (g *grants[S]) permits(t *tenant[S], domain string) bool {
	if len(t.policies) > 0 {
		return slices.ContainsFunc(t.policies, func(p *policy) bool { return p.good.covers(domain) })
	}
	return g.reserver(domain) == nil
}

// reserver returns the policy that reserves a domain, of several the first by
// name; nil if none does.
func (g *grants[S]) reserver(domain string) *policy {
	found := firstOf(g.reserved[object.DomainMatch{Exact: domain}])
	for suffix := range suffixesOf(domain) {
		if p := firstOf(g.reserved[object.DomainMatch{Suffix: suffix}]); found == nil || p != nil && p.name < found.name {
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
func (g *grants[S]) selecting(set labels.Set) []*policy {
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
func (g *grants[S]) add(p *policy) {
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
func (g *grants[S]) remove(p *policy) {
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
func (b *Book[S, D]) labelsOf(namespace string) labels.Set {
	if set, known := b.labels[namespace]; known {
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
