package statuswriter

import (
	"fmt"
	"slices"
	"strings"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
)

// transition is what became another of a site when its status was written: what
// its owner reads as an Event.
type transition struct {
	site    object.Key
	uid     string
	trouble bool
	action  string // what was tried
	reason  string // of the condition
	note    string // its message
}

// actions are what is tried for each condition that is not a sum of others.
var actions = [...]struct{ condition, action string }{
	{v1alpha1.ConditionAccepted, "Accept"},
	{v1alpha1.ConditionResolvedRefs, "ResolveRefs"},
	{v1alpha1.ConditionProgrammed, "Program"},
	{v1alpha1.ConditionEndpointsReady, "FindEndpoints"},
}

// expected are conditions whose fulfilment is no news of a site that never lacked it,
// and neither is it that a new site lacks endpoints: its pods are starting.
var expected = [...]string{v1alpha1.ConditionResolvedRefs, v1alpha1.ConditionEndpointsReady}

// transitions returns what a write changed. It goes by what was written over, so
// that nothing is told twice, whoever leads and however often the program starts.
func transitions(w write) []transition {
	var all []transition
	add := func(trouble bool, action, reason, note string) {
		all = append(all, transition{w.site, w.want.UID, trouble, action, reason, note})
	}
	before, after := w.seen.Words.Value().Conditions, w.want.Words.Value().Conditions
	for _, a := range actions {
		i := slices.Index(v1alpha1.Conditions[:], a.condition)
		old, now := before[i], after[i]
		switch {
		case repeats(now) || now.Status == old.Status && now.Reason == old.Reason:
		case a.condition == v1alpha1.ConditionEndpointsReady && old.Status != "True" && now.Status == "False":
		case now.Status == "False":
			add(true, a.action, now.Reason, now.Message)
		case now.Status == "True" && old.Status != "True" && (!slices.Contains(expected[:], a.condition) || wasMissing(old)):
			add(false, a.action, now.Reason, now.Message)
		}
	}
	if domains := takenOver(w); len(domains) > 0 {
		add(false, "Accept", v1alpha1.ReasonTakenOver,
			fmt.Sprintf("%s was another StaticSite's and is this one's now", strings.Join(domains, ", ")))
	}
	return all
}

// repeats reports whether a condition is not fulfilled because a different one is not.
func repeats(c sitestatus.Condition) bool {
	return c.Reason == v1alpha1.ReasonNotSent || c.Reason == v1alpha1.ReasonInvalidSpec
}

// wasMissing reports whether what a site names did not exist.
func wasMissing(c sitestatus.Condition) bool { return c.Status == "False" && !repeats(c) }

// takenOver returns the domains that a site was refused as another's, and holds
// now. It asks for the same ones as then, if its generation is the same.
func takenOver(w write) []string {
	i := slices.Index(v1alpha1.Conditions[:], v1alpha1.ConditionAccepted)
	if w.seen.Words.Value().Conditions[i].Reason != v1alpha1.ReasonDomainConflict || w.seen.Generation != w.want.Generation {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(w.want.Domains), func(d string) bool { return slices.Contains(w.seen.Domains, d) })
}
