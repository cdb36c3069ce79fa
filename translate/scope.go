package translate

import (
	"iter"
	"maps"
	"slices"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/spec"
)

// A scope is what decides a domain's routes: a site and one of its specifications. A
// specification is not modified, and a different one means different routes, so two
// scopes are the same routes only if they are equal. The zero scope is none at all.
type scope struct {
	site *site
	spec *spec.Spec // nil: no backend is known, since the site was invalid from the first
}

func (s scope) none() bool { return s.site == nil }

// scopeOf returns the scope that a domain should have with this holder.
func scopeOf(name string, s *site) scope {
	switch {
	case s == nil:
		return scope{}
	case s.good == nil || s.good.Domain != name:
		return scope{site: s}
	}
	return scope{s, s.good}
}

// buildScopes hands out the routes of every domain whose holder, or whose
// holder's specification, changed; and counts whom they lead to.
func (b *batch) buildScopes() {
	for name, d := range b.domains {
		want := scopeOf(name, d.Holder)
		if want == d.Served {
			continue
		}
		b.leave(d.Served)
		b.enter(want)
		d.Served = want
		if d.Holder != nil {
			b.touched[d.Holder] = struct{}{}
		}
		if b.w.opts.Routes == envoy.RoutesSingle {
			b.setVirtualHost(name, want)
		} else {
			b.setScope(name, want)
		}
	}
}

// enter counts a scope that from now on leads to its clusters.
func (b *batch) enter(s scope) {
	if s.spec == nil {
		return
	}
	for to := range s.spec.Backends() {
		b.use(to)
	}
}

// leave is the opposite of enter.
func (b *batch) leave(s scope) {
	if s.spec == nil {
		return
	}
	for to := range s.spec.Backends() {
		b.disuse(to)
	}
}

func (b *batch) setScope(name string, s scope) {
	if s.none() {
		b.remove(envoy.ScopeType, name)
		return
	}
	r := Resource{Type: envoy.ScopeType, Name: name, Again: envoy.RenameRoutes, Needs: b.needsOf(s)}
	if s.spec == nil {
		r.Placeholder, r.Message = true, envoy.Scope(name, envoy.Unavailable(s.site.key, envoy.EveryDomain))
	} else {
		r.Message = b.routes(s)
	}
	b.upsert(r)
}

// setVirtualHost is setScope for layout single, where all virtual hosts are one
// resource: no stand-in for one of them can be marked as such, nor sent again.
func (b *batch) setVirtualHost(name string, s scope) {
	b.table = true
	switch {
	case s.none():
		delete(b.w.table, name)
	case s.spec == nil:
		b.w.table[name] = envoy.Unavailable(s.site.key, name)
	default:
		b.w.table[name] = b.routes(s).(*routev3.VirtualHost)
	}
}

// routes returns what a scope renders as: the message that was checked, if that was in
// this batch.
func (b *batch) routes(s scope) envoy.Message {
	if checked := b.rendered[s.spec]; checked != nil {
		return checked
	}
	return b.w.render(s.site.key, s.spec)
}

// needsOf returns the clusters that a scope leads to, sorted.
func (b *batch) needsOf(s scope) []string { return slices.Sorted(b.leadsTo(s)) }

// leadsTo yields the clusters that a scope leads to, as far as a proxy that refuses its
// next form must keep them. In upstreams dns it keeps none for old routes: the Service's
// name may have come to stand for any other name (see envoy.DNSCluster).
func (b *batch) leadsTo(s scope) iter.Seq[string] {
	return func(yield func(string) bool) {
		if s.spec == nil || b.w.opts.Upstreams == envoy.UpstreamsDNS {
			return
		}
		for to := range s.spec.Backends() {
			if !yield(b.w.backends.Get(to.Service).cluster(to.Port).name) {
				return
			}
		}
	}
}

// tableNeeds returns the clusters that some virtual host leads to, sorted.
func (b *batch) tableNeeds() []string {
	needs := make(map[string]bool, len(b.w.table))
	domains := b.w.claims.Domains()
	for name := range b.w.table {
		for cluster := range b.leadsTo(domains[name].Served) {
			needs[cluster] = true
		}
	}
	return slices.Sorted(maps.Keys(needs))
}
