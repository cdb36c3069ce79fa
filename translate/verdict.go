package translate

import (
	"fmt"
	"slices"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// judgeSites hands out the verdict of every marked site, if it says anything new.
func (b *batch) judgeSites() {
	for s := range b.touched {
		b.sites[s] = struct{}{}
	}
	for s := range b.sites {
		v := b.verdict(s)
		if _, touched := b.touched[s]; !touched && equalVerdicts(v, s.verdict) {
			continue
		}
		s.verdict = v
		b.verdicts = append(b.verdicts, v)
	}
}

// verdict says how one site stands, all else being settled.
func (b *batch) verdict(s *site) Verdict {
	if s.Site == nil {
		return Verdict{Site: s.key, Gone: true}
	}
	v := Verdict{
		Site:         s.key,
		UID:          s.UID,
		Generation:   s.Generation,
		Domain:       s.spec.domain,
		Accepted:     s.spec.accepted(),
		ResolvedRefs: b.resolvedRefs(s),
	}
	for _, name := range s.wants {
		if b.w.domains[name].holder == s {
			v.Holds = append(v.Holds, name)
		}
	}
	switch {
	case !s.spec.valid():
		// Withheld: what is served, if anything is, is not this generation.
	case len(v.Holds) > 0:
		v.Resources = b.resourcesOf(s)
	case !b.w.permits(s.key.Namespace, s.spec.domain):
		v.Accepted = b.w.notPermitted(s.key.Namespace, s.spec.domain)
	default:
		v.Accepted = conflict(s, b.w.domains[s.spec.domain].holder)
	}
	return v
}

func (b *batch) resolvedRefs(s *site) Condition {
	if !s.spec.backendValid() {
		return Condition{Reason: v1alpha1.ReasonInvalidSpec, Message: "no Service was looked up: mend the specification first (condition Accepted says how)"}
	}
	return b.w.backends[s.spec.service].resolve(s.spec.port)
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
func (b *batch) resourcesOf(s *site) []ResourceName {
	routes := ResourceName{typeScope, s.spec.domain}
	if b.w.opts.Routes == RoutesSingle {
		routes = ResourceName{typeTable, tableName}
	}
	c := b.w.backends[s.spec.service].cluster(s.spec.port)
	if !c.sent {
		return []ResourceName{routes}
	}
	return []ResourceName{{typeCluster, clusterName(s.spec.service, s.spec.port)}, routes}
}

func equalVerdicts(x, y Verdict) bool {
	return x.Site == y.Site && x.Gone == y.Gone && x.UID == y.UID && x.Generation == y.Generation && x.Domain == y.Domain &&
		x.Accepted == y.Accepted && x.ResolvedRefs == y.ResolvedRefs &&
		slices.Equal(x.Holds, y.Holds) && slices.Equal(x.Resources, y.Resources)
}
