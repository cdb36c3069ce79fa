package claims

import (
	"slices"

	"my-company.com/staticsite-operator/object"
)

// Which claims does a change of policies, or of the labels of a namespace, concern?
// These steps find them; Permits then says of each whether it may stand.

// settleIn notes a site that claimed nothing before.
func (b *Book[S, D]) settleIn(s S, namespace string) {
	if b.grants != nil {
		b.tenants[b.grants.tenantOf(s, namespace)] = struct{}{}
	}
}

// moveOut notes that a site claims nothing any more.
func (b *Book[S, D]) moveOut(s S, namespace string) {
	if b.grants == nil {
		return
	}
	t := b.grants.tenants[namespace]
	delete(t.sites, s)
	if len(t.sites) == 0 {
		delete(b.grants.tenants, t.name)
	}
}

// Namespace takes in a namespace, nil if it is gone.
func (b *Book[S, D]) Namespace(name string, namespace *object.Namespace) {
	if namespace == nil {
		delete(b.labels, name)
	} else {
		b.labels[name] = withName(namespace.Labels, name)
	}
	if b.grants == nil {
		return
	}
	if t := b.grants.tenants[name]; t != nil {
		b.tenants[t] = struct{}{}
	}
}

// Policy takes in a policy, nil if it is gone. It returns what is wrong with the
// policy; its last good form stays then.
func (b *Book[S, D]) Policy(name string, spec *object.Policy) []Problem {
	p := b.policies[name]
	if p == nil {
		if spec == nil {
			return nil
		}
		p = &policy{name: name}
		b.policies[name] = p
	}
	if b.grants == nil {
		b.grants = b.newGrants()
	}
	if spec == nil {
		delete(b.policies, name)
		b.replace(p, nil)
		return nil
	}
	good, problems := judge(spec)
	if len(problems) == 0 {
		b.replace(p, good)
	}
	return problems
}

// replace puts a different specification, or none, in the place of a policy's.
func (b *Book[S, D]) replace(p *policy, good *goodPolicy) {
	b.changed[p] = struct{}{}
	if p.good != nil {
		b.noteReserved(p.good)
		b.grants.remove(p)
	}
	p.good = good
	if p.good != nil {
		b.noteReserved(p.good)
		b.grants.add(p)
	}
}

// noteReserved notes by whom the domains of a policy were reserved before the
// batch. It is called before that can change.
func (b *Book[S, D]) noteReserved(good *goodPolicy) {
	for _, match := range good.domains {
		if _, noted := b.reserved[match]; !noted {
			b.reserved[match] = firstOf(b.grants.reserved[match])
		}
	}
}

// grant follows what changed in policies and namespaces to the claims that it
// may concern: of namespaces that no policy selects those under what is reserved
// now and was not, or the reverse; of others those of namespaces that are
// selected, or were, by a policy that changed.
func (b *Book[S, D]) grant() {
	g := b.grants
	if g == nil {
		return
	}
	for match, before := range b.reserved {
		if firstOf(g.reserved[match]) != before {
			b.markMatch(match)
		}
	}
	if len(b.changed) > 0 {
		// All namespaces are asked, as each takes about a microsecond and policies
		// change rarely; only the sites of those that are concerned are looked at.
		for _, t := range g.tenants {
			b.tenants[t] = struct{}{}
		}
	}
	for t := range b.tenants {
		b.selectFor(t)
	}
}

func (b *Book[S, D]) markMatch(match object.DomainMatch) {
	if match.Exact != "" {
		b.markDomain(match.Exact)
		return
	}
	for domain := range b.grants.claimed.under(match.Suffix) {
		b.markDomain(domain)
	}
}

// markDomain has a domain decided again, and all who claim it judged.
func (b *Book[S, D]) markDomain(name string) {
	d := b.domains[name]
	if d == nil {
		return // nobody claims it
	}
	b.decide[name] = struct{}{}
	for _, s := range d.claimants {
		b.concerns[s] = struct{}{}
	}
}

// selectFor finds the policies that select a namespace, and marks its sites if
// these are not the same as before, or not as they were.
func (b *Book[S, D]) selectFor(t *tenant[S]) {
	before := t.policies
	t.policies = b.grants.selecting(b.labelsOf(t.name))
	if slices.Equal(t.policies, before) && !slices.ContainsFunc(t.policies, b.hasChanged) {
		return
	}
	for s := range t.sites {
		b.concerns[s] = struct{}{}
		for _, name := range s.Claim().Domains {
			b.decide[name] = struct{}{}
		}
	}
}

func (b *Book[S, D]) hasChanged(p *policy) bool {
	_, changed := b.changed[p]
	return changed
}
