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
	reserved map[DomainMatch][]*policy // by whom
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
	for _, s := range w.sites {
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
	var first *policy
	consider := func(policies []*policy) {
		for _, p := range policies {
			if first == nil || p.name < first.name {
				first = p
			}
		}
	}
	consider(g.reserved[DomainMatch{Exact: domain}])
	for suffix := range suffixesOf(domain) {
		consider(g.reserved[DomainMatch{Suffix: suffix}])
	}
	return first
}

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
	slices.SortFunc(selecting, func(x, y *policy) int { return strings.Compare(x.name, y.name) })
	return selecting
}

// add takes in a policy that has become good.
func (g *grants) add(p *policy) {
	if p.good.reserves {
		for _, match := range p.good.domains {
			g.reserved[match] = append(g.reserved[match], p)
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

// settleIn notes a site that is new.
func (b *batch) settleIn(s *site) {
	if b.w.grants != nil {
		b.tenants[b.w.grants.tenantOf(s)] = struct{}{}
	}
}

// moveOut notes that a site is gone.
func (b *batch) moveOut(s *site) {
	if b.w.grants == nil {
		return
	}
	t := b.w.grants.tenants[s.key.Namespace]
	delete(t.sites, s)
	if len(t.sites) == 0 {
		delete(b.w.grants.tenants, t.name)
	}
}

func (b *batch) takeNamespace(name string, object *Namespace) {
	if object == nil {
		delete(b.w.labels, name)
	} else {
		b.w.labels[name] = withName(object.Labels, name)
	}
	if b.w.grants == nil {
		return
	}
	if t := b.w.grants.tenants[name]; t != nil {
		b.tenants[t] = struct{}{}
	}
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
	named := labels.Set{corev1.LabelMetadataName: namespace}
	maps.Copy(named, set)
	named[corev1.LabelMetadataName] = namespace
	return named
}

func (b *batch) takePolicy(key Key, object *Policy) {
	p := b.w.policies[key.Name]
	if p == nil {
		if object == nil {
			return
		}
		p = &policy{name: key.Name}
		b.w.policies[p.name] = p
	}
	if b.w.grants == nil {
		b.w.grants = newGrants(b.w)
	}
	var good *goodPolicy
	if object == nil {
		delete(b.w.policies, p.name)
	} else {
		var problems []PolicyProblem
		if good, problems = judgePolicy(object); len(problems) > 0 {
			b.problems = append(b.problems, problems...)
			return // The last good form stays.
		}
	}
	b.replace(p, good)
}

// replace puts another specification, or none, in the place of a policy's.
func (b *batch) replace(p *policy, good *goodPolicy) {
	b.policies[p] = struct{}{}
	if p.good != nil {
		b.w.grants.remove(p)
		b.markMatches(p.good)
	}
	p.good = good
	if p.good != nil {
		b.w.grants.add(p)
		b.markMatches(p.good)
	}
}

func (b *batch) markMatches(good *goodPolicy) {
	for _, match := range good.domains {
		b.matches[match] = struct{}{}
	}
}

// grant follows what changed in policies and namespaces to the claims that it
// may concern.
func (b *batch) grant() {
	if b.w.grants == nil {
		return
	}
	for match := range b.matches {
		if match.Exact != "" {
			b.markDomain(match.Exact)
			continue
		}
		for domain := range b.w.grants.claimed.under(match.Suffix) {
			b.markDomain(domain)
		}
	}
	if len(b.policies) > 0 {
		// All namespaces are asked, as each takes well under a microsecond and
		// policies change rarely; only the sites of those that are concerned.
		for _, t := range b.w.grants.tenants {
			b.tenants[t] = struct{}{}
		}
	}
	for t := range b.tenants {
		b.selectFor(t)
	}
}

// markDomain has a domain decided again, and all who claim it judged.
func (b *batch) markDomain(name string) {
	d := b.w.domains[name]
	if d == nil {
		return // nobody claims it
	}
	b.domains[name] = struct{}{}
	for _, s := range d.claimants {
		b.sites[s] = struct{}{}
	}
}

// selectFor finds the policies that select a namespace, and marks its sites if
// these are not the same as before, or not as they were.
func (b *batch) selectFor(t *tenant) {
	before := t.policies
	t.policies = b.w.grants.selecting(b.w.labelsOf(t.name))
	if slices.Equal(t.policies, before) && !slices.ContainsFunc(t.policies, b.changed) {
		return
	}
	for s := range t.sites {
		b.sites[s] = struct{}{}
		for _, name := range s.wants {
			b.domains[name] = struct{}{}
		}
	}
}

func (b *batch) changed(p *policy) bool {
	_, changed := b.policies[p]
	return changed
}
