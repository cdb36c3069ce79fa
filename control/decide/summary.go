package decide

import (
	"slices"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
)

// Status is what the site's owner should read.
func (d Decision) Status() *sitestatus.Status {
	status := d.sum()
	if d.inherited {
		d.programmed, d.gist = programmed, ""
		status.Standing = d.sum()
	}
	return status
}

// sum is the status with the conditions that were decided and those that follow from
// them.
func (d Decision) sum() *sitestatus.Status {
	s := d.site
	resolved := decided(v1alpha1.ConditionResolvedRefs, s.ResolvedRefs)
	conditions := []sitestatus.Condition{d.accepted, resolved, d.programmed}
	ready, missing := readiness(conditions)
	if d.gist != "" && missing.Type == d.programmed.Type {
		ready.Message, missing.Message = d.gist, d.gist
	}
	endpoints := s.endpointsReady(d.accepted, resolved)
	conditions = append(conditions, ready, endpoints)
	message := ready.Message
	if ready.Status == isTrue && endpoints.Status == isFalse {
		message = endpoints.Message
	}
	if outlook, ok := outlooks[ready.Status]; ok {
		conditions = append(conditions, sitestatus.Condition{Type: outlook, Status: isTrue, Reason: missing.Reason, Message: missing.Message})
	}
	return &sitestatus.Status{
		Site: s.Key, UID: s.UID, Generation: s.Generation, Domains: s.Domains, Proxies: d.proxies,
		Phase: phases[ready.Status], Message: message,
		Conditions: conditions,
	}
}

// readiness sums conditions up: True if all are, False if one is, and the
// message of the first that is missing, which it returns too.
func readiness(conditions []sitestatus.Condition) (ready, missing sitestatus.Condition) {
	ready = sitestatus.Condition{Type: v1alpha1.ConditionReady, Status: isTrue, Reason: v1alpha1.ReasonReady,
		Message: conditions[len(conditions)-1].Message}
	for _, want := range []string{isFalse, unknown} {
		i := slices.IndexFunc(conditions, func(c sitestatus.Condition) bool { return c.Status == want })
		if i >= 0 {
			missing = conditions[i]
			ready.Status, ready.Reason, ready.Message = want, v1alpha1.ReasonNotReady, missing.Message
			break
		}
	}
	return ready, missing
}

// outlooks are the conditions that tell a tool that knows Ready, but none of the
// others, whether to wait for it.
var outlooks = map[string]string{
	unknown: v1alpha1.ConditionReconciling,
	isFalse: v1alpha1.ConditionStalled,
}

// endpointsReady says whether there is anybody to answer the requests for a site.
func (s *Site) endpointsReady(accepted, resolved sitestatus.Condition) sitestatus.Condition {
	c := sitestatus.Condition{Type: v1alpha1.ConditionEndpointsReady, Status: unknown}
	switch {
	case accepted.Status != isTrue:
		c.Reason, c.Message = v1alpha1.ReasonNotSent, v1alpha1.MessageNotLookedUp
	case s.Endpoints == translate.EndpointsUnknown:
		c.Reason, c.Message = v1alpha1.ReasonResolvedByProxies, v1alpha1.MessageResolvedByProxies
	case !s.Deserted:
		c.Status, c.Reason, c.Message = isTrue, v1alpha1.ReasonEndpointsReady, v1alpha1.MessageEndpointsReady
	case resolved.Status != isTrue:
		c.Reason, c.Message = v1alpha1.ReasonUnresolved, v1alpha1.MessageUnresolved
	default:
		c.Status, c.Reason, c.Message = isFalse, v1alpha1.ReasonNoEndpoints, v1alpha1.MessageNoEndpoints
	}
	return c
}

var phases = map[string]string{
	isTrue:  string(v1alpha1.PhaseProvisioned),
	isFalse: string(v1alpha1.PhaseError),
	unknown: string(v1alpha1.PhasePending),
}
