package control

import (
	"fmt"
	"slices"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

const (
	isTrue  = "True"
	isFalse = "False"
	unknown = "Unknown"
)

// status derives what the site's owner should read from what is known now.
func (j *join) status(s *site) SiteStatus {
	v := &s.verdict
	accepted := decided(v1alpha1.ConditionAccepted, v.Accepted)
	if s.invalid != nil && v.Accepted.OK {
		accepted.Status, accepted.Reason = isFalse, v1alpha1.ReasonInvalidConfiguration
		accepted.Message = fmt.Sprintf("the configuration made of this site is not valid, so the last valid one stays: %v", s.invalid)
	}
	resolved := decided(v1alpha1.ConditionResolvedRefs, v.ResolvedRefs)
	programmed, proxies := j.programmed(s, accepted)
	conditions := []Condition{accepted, resolved, programmed}
	ready := readiness(conditions)
	return SiteStatus{
		Site: v.Site, UID: v.UID, Generation: v.Generation, Domains: v.Holds, Proxies: proxies,
		Phase: phases[ready.Status], Message: ready.Message,
		Conditions: append(conditions, ready),
	}
}

var phases = map[string]string{
	isTrue:  string(v1alpha1.PhaseProvisioned),
	isFalse: string(v1alpha1.PhaseError),
	unknown: string(v1alpha1.PhasePending),
}

func decided(typ string, c translate.Condition) Condition {
	status := isFalse
	if c.OK {
		status = isTrue
	}
	return Condition{Type: typ, Status: status, Reason: c.Reason, Message: c.Message}
}

// programmed tells whether every connected proxy acknowledged exactly what this
// generation of the site means, and how many did.
func (j *join) programmed(s *site, accepted Condition) (Condition, int) {
	c := Condition{Type: v1alpha1.ConditionProgrammed}
	if accepted.Status != isTrue {
		c.Status, c.Reason = isFalse, v1alpha1.ReasonNotSent
		c.Message = "this generation is not sent to the proxies, because the site is not accepted"
		return c, 0
	}
	total := len(j.proxies)
	if total == 0 && !s.settled {
		c.Status, c.Reason = unknown, v1alpha1.ReasonNoProxies
		c.Message = "no proxy is connected"
		return c, 0
	}
	refused, trying, reason := j.excepted(s)
	if refused > 0 {
		c.Status, c.Reason = isFalse, v1alpha1.ReasonRejected
		c.Message = fmt.Sprintf("refused by %d of %d connected proxies, which keep what they had; Envoy says: %s", refused, total, reason)
		return c, total - refused
	}
	if s.settled && trying == 0 {
		c.Status, c.Reason = isTrue, v1alpha1.ReasonProgrammed
		c.Message = "served by every connected proxy"
		return c, total
	}
	hold := 0
	for _, p := range j.proxies {
		if holds(p) >= s.seq {
			hold++
		}
	}
	c.Status, c.Reason = unknown, v1alpha1.ReasonPending
	c.Message = fmt.Sprintf("acknowledged by %d of %d connected proxies", max(0, hold-trying), total)
	return c, hold
}

// excepted returns how many proxies refuse a resource of the site, how many are
// still being asked again after a refusal, and the first refusal's words.
func (j *join) excepted(s *site) (refused, trying int, reason string) {
	proxies := make(map[uint64]bool) // true: refused
	first := uint64(0)
	for _, name := range s.resources {
		for id, e := range j.exceptions[name] {
			proxies[id] = proxies[id] || e.Refused
			if e.Refused && (first == 0 || id <= first) {
				first, reason = id, e.Reason
			}
		}
	}
	for _, r := range proxies {
		if r {
			refused++
		} else {
			trying++
		}
	}
	return refused, trying, reason
}

// readiness sums conditions up: True if all are, False if one is, and the
// message of the first that is not True.
func readiness(conditions []Condition) Condition {
	ready := Condition{Type: v1alpha1.ConditionReady, Status: isTrue, Reason: v1alpha1.ReasonReady,
		Message: conditions[len(conditions)-1].Message}
	for _, want := range []string{isFalse, unknown} {
		i := slices.IndexFunc(conditions, func(c Condition) bool { return c.Status == want })
		if i >= 0 {
			ready.Status, ready.Reason, ready.Message = want, v1alpha1.ReasonNotReady, conditions[i].Message
			break
		}
	}
	return ready
}

// programmedIndex is where Programmed stands in SiteStatus.Conditions.
const programmedIndex = 2

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
