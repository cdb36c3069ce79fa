package control

import (
	"fmt"
	"slices"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

const (
	isTrue  = "True"
	isFalse = "False"
	unknown = "Unknown"
)

// acceptance is translation's verdict, and whether what it made is valid.
func (s *site) acceptance() sitestatus.Condition {
	accepted := decided(v1alpha1.ConditionAccepted, s.accepted.Value())
	if s.invalid != nil && accepted.Status == isTrue {
		accepted.Status, accepted.Reason = isFalse, v1alpha1.ReasonInvalidConfiguration
		accepted.Message = fmt.Sprintf("the configuration made of this site is not valid, so the last valid one stays: %s", xds.Words(s.invalid.Error()))
	}
	return accepted
}

// status is what the site's owner should read, when this is so (see programmed).
func (s *site) status(accepted sitestatus.Condition, p programming) sitestatus.Status {
	resolved := decided(v1alpha1.ConditionResolvedRefs, s.resolved.Value())
	status := s.sum(accepted, resolved, p)
	if p.inherited {
		standing := s.sum(accepted, resolved, programming{Condition: programmed, proxies: p.proxies})
		status.Standing = &standing
	}
	return status
}

// sum is the status with these conditions and those that follow from them.
func (s *site) sum(accepted, resolved sitestatus.Condition, p programming) sitestatus.Status {
	conditions := []sitestatus.Condition{accepted, resolved, p.Condition}
	ready, missing := readiness(conditions)
	if p.gist != "" && missing.Type == p.Type {
		ready.Message, missing.Message = p.gist, p.gist
	}
	endpoints := s.endpointsReady(accepted, resolved)
	conditions = append(conditions, ready, endpoints)
	message := ready.Message
	if ready.Status == isTrue && endpoints.Status == isFalse {
		message = endpoints.Message
	}
	if outlook, ok := outlooks[ready.Status]; ok {
		conditions = append(conditions, sitestatus.Condition{Type: outlook, Status: isTrue, Reason: missing.Reason, Message: missing.Message})
	}
	return sitestatus.Status{
		Site: s.key, UID: s.uid, Generation: s.generation, Domains: s.holds, Proxies: p.proxies,
		Phase: phases[ready.Status], Message: message,
		Conditions: conditions,
	}
}

// outlooks are the conditions that tell a tool that knows Ready, but none of the
// others, whether to wait for it.
var outlooks = map[string]string{
	unknown: v1alpha1.ConditionReconciling,
	isFalse: v1alpha1.ConditionStalled,
}

var phases = map[string]string{
	isTrue:  string(v1alpha1.PhaseProvisioned),
	isFalse: string(v1alpha1.PhaseError),
	unknown: string(v1alpha1.PhasePending),
}

func decided(typ string, c translate.Condition) sitestatus.Condition {
	status := isFalse
	if c.OK {
		status = isTrue
	}
	return sitestatus.Condition{Type: typ, Status: status, Reason: c.Reason, Message: c.Message}
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

// namesOf returns the xDS names of a verdict's resources.
func namesOf(resources []translate.ResourceName) []xds.ResourceName {
	names := make([]xds.ResourceName, 0, len(resources))
	for _, r := range resources {
		if t, ok := xds.TypeByURL(r.Type); ok {
			names = append(names, xds.ResourceName{Type: t, Name: r.Name})
		}
	}
	return names
}
