package translate

import (
	"fmt"
	"hash/maphash"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// judgeSites hands out the verdict of every marked site, if it says anything new.
func (b *batch) judgeSites() {
	for s := range b.touched {
		b.sites[s] = struct{}{}
	}
	for s := range b.sites {
		v := b.w.verdict(s)
		digest := v.digest(b.w.digests)
		if _, touched := b.touched[s]; !touched && digest == s.said {
			continue
		}
		s.said = digest
		b.verdicts = append(b.verdicts, v)
	}
}

// verdict says how one site stands, all else being settled.
func (w *World) verdict(s *site) Verdict {
	if s.claim.Site == nil {
		return Verdict{Site: s.key, Gone: true}
	}
	v := Verdict{
		Site:         s.key,
		UID:          s.claim.UID,
		Generation:   s.claim.Generation,
		Domain:       s.spec.domain,
		Accepted:     s.spec.accepted(),
		ResolvedRefs: w.resolvedRefs(s),
	}
	v.Holds = w.claims.Held(s)
	switch {
	case !s.spec.valid():
		// Withheld: what is served, if anything is, is not this generation.
	case len(v.Holds) > 0:
		v.Resources = w.resourcesOf(s)
		v.Endpoints = w.backends.Get(s.spec.service).cluster(s.spec.port).endpoints()
	case !w.claims.Permits(s.key.Namespace, s.spec.domain):
		v.Accepted = Condition{Reason: v1alpha1.ReasonDomainNotPermitted, Message: w.claims.NotPermitted(s.key.Namespace, s.spec.domain)}
	default:
		v.Accepted = conflict(s, w.claims.Holder(s.spec.domain))
	}
	return v
}

func (w *World) resolvedRefs(s *site) Condition {
	if !s.spec.backendValid() {
		return Condition{Reason: v1alpha1.ReasonInvalidSpec, Message: "no Service was looked up: mend the specification first (condition Accepted says how)"}
	}
	return w.backends.Get(s.spec.service).resolve(s.spec.port, w.opts.Upstreams)
}

// conflict is the condition of a site whose domain is another's.
func conflict(s, holder *site) Condition {
	whose := "a StaticSite in namespace " + holder.key.Namespace
	if holder.key.Namespace == s.key.Namespace {
		whose = fmt.Sprintf("StaticSite %s of this namespace (%s)", holder.key.Name, holder.key.Namespace)
	}
	return Condition{Reason: v1alpha1.ReasonDomainConflict, Message: fmt.Sprintf(
		"spec.domain: %s belongs to %s: write another domain, or have that site give it up (this one is served at once then)",
		s.spec.domain, whose)}
}

// resourcesOf names what a proxy must acknowledge for s to be served as
// specified. In dns mode there is no cluster while its Service is unfit.
func (w *World) resourcesOf(s *site) []ResourceName {
	routes := ResourceName{typeScope, s.spec.domain}
	if w.opts.Routes == RoutesSingle {
		routes = ResourceName{typeTable, tableName}
	}
	c := w.backends.Get(s.spec.service).cluster(s.spec.port)
	if !c.sent {
		return []ResourceName{routes}
	}
	return []ResourceName{{typeCluster, c.needs[0]}, routes}
}

// endpoints says whether the cluster has any member.
func (c *cluster) endpoints() Endpoints {
	switch {
	case !c.assigned:
		return EndpointsUnknown
	case len(c.members) == 0:
		return EndpointsNone
	}
	return EndpointsUsable
}

// digest is equal for equal verdicts, and practically only for them. It is kept
// for each site instead of the verdict.
func (v *Verdict) digest(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	maphash.WriteComparable(&h, v.Site)
	maphash.WriteComparable(&h, v.Gone)
	maphash.WriteComparable(&h, v.UID)
	maphash.WriteComparable(&h, v.Generation)
	maphash.WriteComparable(&h, v.Domain)
	maphash.WriteComparable(&h, v.Accepted)
	maphash.WriteComparable(&h, v.ResolvedRefs)
	maphash.WriteComparable(&h, v.Endpoints)
	for _, domain := range v.Holds {
		maphash.WriteComparable(&h, domain)
	}
	for _, r := range v.Resources {
		maphash.WriteComparable(&h, r)
	}
	return h.Sum64()
}
