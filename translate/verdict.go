package translate

import (
	"fmt"
	"hash/maphash"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/translate/envoy"
)

// judgeSites hands out the verdict of every marked site, if it says anything new.
func (b *batch) judgeSites() {
	for s := range b.touched {
		b.sites[s] = struct{}{}
	}
	for s := range b.sites {
		v := b.w.verdict(s)
		digest := v.digest(b.w.seed)
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
		Domain:       s.spec.Domain,
		ResolvedRefs: w.resolvedRefs(s),
	}
	v.Accepted.OK = s.spec.Valid()
	v.Accepted.Reason, v.Accepted.Message = s.spec.Accepted()
	v.Holds = w.claims.Held(s)
	switch {
	case !s.spec.Valid():
		// Withheld: what is served, if anything is, is not this generation.
	case len(v.Holds) > 0:
		v.Resources = w.resourcesOf(s, v.Holds)
		v.Endpoints = w.endpointsOf(s)
	case !w.claims.Permits(s.key.Namespace, s.spec.Domain):
		v.Accepted = Condition{Reason: v1alpha1.ReasonDomainNotPermitted, Message: w.claims.NotPermitted(s.key.Namespace, s.spec.Domain)}
	default:
		v.Accepted = conflict(s, w.claims.Holder(s.spec.Domain))
	}
	return v
}

// resolvedRefs says how what a site leads to stands: all of it can be served, or the
// first backend with a problem.
func (w *World) resolvedRefs(s *site) Condition {
	c := Condition{Reason: v1alpha1.ReasonInvalidSpec, Message: "no Service was looked up: mend the specification first (condition Accepted says how)"}
	for to := range s.spec.Backends() {
		if c = w.backends.Get(to.Service).resolve(to.Port, w.opts.Upstreams); !c.OK {
			break
		}
	}
	return c
}

// resolve reports whether a port of a Service, and all that is behind it, can be served.
func (be *backend) resolve(port int32, upstreams envoy.Upstreams) (c Condition) {
	c.Reason, c.Message = be.Problem(port, upstreams)
	if cluster := be.cluster(port); c.Reason == "" && cluster != nil && cluster.crowded {
		c.Reason, c.Message = be.Crowded()
	}
	if c.Reason == "" {
		return Condition{OK: true, Reason: v1alpha1.ReasonResolvedRefs, Message: "the Service and its port exist"}
	}
	return c
}

// conflict is the condition of a site whose domain another site holds.
func conflict(s, holder *site) Condition {
	whose := "a StaticSite in namespace " + holder.key.Namespace
	if holder.key.Namespace == s.key.Namespace {
		whose = fmt.Sprintf("StaticSite %s of this namespace (%s)", holder.key.Name, holder.key.Namespace)
	}
	return Condition{Reason: v1alpha1.ReasonDomainConflict, Message: fmt.Sprintf(
		"spec.domain: %s belongs to %s: write another domain, or have that site give it up (this one is served at once then)",
		s.spec.Domain, whose)}
}

// resourcesOf names what a proxy must acknowledge for s to be served as specified: its
// clusters, then its routes. In upstreams dns there is no cluster while its Service is
// unfit.
func (w *World) resourcesOf(s *site, holds []string) (names []ResourceName) {
	for to := range s.spec.Backends() {
		if c := w.backends.Get(to.Service).cluster(to.Port); c.sent {
			names = append(names, ResourceName{envoy.ClusterType, c.name})
		}
	}
	if w.opts.Routes == envoy.RoutesSingle {
		return append(names, ResourceName{envoy.TableType, envoy.TableName})
	}
	for _, domain := range holds {
		names = append(names, ResourceName{envoy.ScopeType, domain})
	}
	return names
}

// endpointsOf says whether each cluster that a site leads to has any member: what is
// worst of one of them is so of the site.
func (w *World) endpointsOf(s *site) Endpoints {
	worst := EndpointsUsable
	for to := range s.spec.Backends() {
		switch w.backends.Get(to.Service).cluster(to.Port).endpoints() {
		case EndpointsNone:
			return EndpointsNone
		case EndpointsUnknown:
			worst = EndpointsUnknown
		}
	}
	return worst
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
