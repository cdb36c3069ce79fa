package translate

import "slices"

// Which claims does a change in policies, or in the labels of a namespace,
// concern? These steps follow it there; permits then says of each whether it may
// stand.

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
		b.noteReserved(p.good)
		b.w.grants.remove(p)
	}
	p.good = good
	if p.good != nil {
		b.noteReserved(p.good)
		b.w.grants.add(p)
	}
}

// noteReserved notes by whom the domains of a policy were reserved before the
// batch. It is called before that can change.
func (b *batch) noteReserved(good *goodPolicy) {
	for _, match := range good.domains {
		if _, noted := b.reserved[match]; !noted {
			b.reserved[match] = firstOf(b.w.grants.reserved[match])
		}
	}
}

// grant follows what changed in policies and namespaces to the claims that it
// may concern: of namespaces that no policy selects those under what is reserved
// now and was not, or the reverse; of others those of namespaces that are
// selected, or were, by a policy that changed.
func (b *batch) grant() {
	g := b.w.grants
	if g == nil {
		return
	}
	for match, before := range b.reserved {
		if firstOf(g.reserved[match]) != before {
			b.markMatch(match)
		}
	}
	if len(b.policies) > 0 {
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

func (b *batch) markMatch(match DomainMatch) {
	if match.Exact != "" {
		b.markDomain(match.Exact)
		return
	}
	for domain := range b.w.grants.claimed.under(match.Suffix) {
		b.markDomain(domain)
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
