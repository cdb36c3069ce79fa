package kube

import (
	"math"
	"slices"
	"time"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/control"
)

// summary is one status of a site, wanted or observed, in little memory: the
// words are kept once for all sites that share them, which nearly all do.
type summary struct {
	uid        string // of the object that it is about
	generation int64  // of the status and of each condition; -1 where they differ, or something else is odd
	domains    []string
	words      unique.Handle[words]
}

// words are what a status says.
type words struct {
	phase, message string
	conditions     [len(v1alpha1.Conditions)]control.Condition // in their order; one that is not there has no Type
}

func (s summary) equal(other summary) bool {
	return s.generation == other.generation && s.words == other.words && slices.Equal(s.domains, other.domains)
}

// summarise is the inverse of status, but for the site's name.
func summarise(s control.SiteStatus) summary {
	text := words{phase: s.Phase, message: fit(s.Message)}
	for _, c := range s.Conditions {
		if i := slices.Index(v1alpha1.Conditions[:], c.Type); i >= 0 {
			c.Message = fit(c.Message)
			text.conditions[i] = c
		}
	}
	return summary{s.UID, s.Generation, s.Domains, unique.Make(text)}
}

// exceeds reports whether a status says more of a site than another one: that it
// holds a domain, or that all is well. That all was well with another generation was
// true of that one.
func (s *summary) exceeds(other *summary) bool {
	if slices.ContainsFunc(s.domains, func(d string) bool { return !slices.Contains(other.domains, d) }) {
		return true
	}
	before, after := s.words.Value().conditions, other.words.Value().conditions
	for i, condition := range v1alpha1.Conditions {
		if isTrue(before[i]) && !isTrue(after[i]) && condition != v1alpha1.ConditionReconciling && condition != v1alpha1.ConditionStalled {
			return s.generation == other.generation
		}
	}
	return false
}

func isTrue(c control.Condition) bool { return c.Status == string(metav1.ConditionTrue) }

func (s summary) status() control.SiteStatus {
	text := s.words.Value()
	return control.SiteStatus{
		UID:        s.uid,
		Generation: s.generation,
		Phase:      text.phase,
		Message:    text.message,
		Domains:    s.domains,
		Conditions: slices.DeleteFunc(text.conditions[:], func(c control.Condition) bool { return c.Type == "" }),
	}
}

// observation is the status that the API server has for a site.
type observation struct {
	summary
	version string                           // of the whole object
	listing uint32                           // which listing of the cluster it is from, or from a watch that went on from there
	since   [len(v1alpha1.Conditions)]uint32 // lastTransitionTime of each condition, in Unix seconds; 0 if it has none
	others  *others                          // nil if there are none, as nearly always
}

// others is what others have to do with a status.
type others struct {
	managers   []string // the field managers, besides ours, that own something in it
	conditions []any    // of types that are not ours: they are somebody's own, and stay
}

// observe reads what matters of a site's status. It cannot fail: a status that
// looks odd is one that differs from what it should be.
func observe(root map[string]any) *observation {
	f := field{value: root, report: func(string, string) {}}
	s := f.at("status")
	metadata := f.at("metadata")
	seen := &observation{version: metadata.at("resourceVersion").text()}
	seen.uid = metadata.at("uid").text()
	seen.generation = s.at("observedGeneration").long()
	seen.domains = readTexts(s.at("domains"))
	text := words{phase: s.at("phase").text(), message: s.at("message").text()}
	var strange others
	for _, condition := range s.at("conditions").list() {
		typ := condition.at("type").text()
		i := slices.Index(v1alpha1.Conditions[:], typ)
		if i < 0 && wroteCondition(metadata, typ) {
			seen.generation = -1 // a later version of this program left it behind
			continue
		}
		if i < 0 {
			strange.conditions = append(strange.conditions, condition.value)
			continue
		}
		text.conditions[i] = control.Condition{
			Type:    v1alpha1.Conditions[i],
			Status:  condition.at("status").text(),
			Reason:  condition.at("reason").text(),
			Message: condition.at("message").text(),
		}
		if since := readTime(condition.at("lastTransitionTime")).Unix(); since > 0 && since <= math.MaxUint32 {
			seen.since[i] = uint32(since)
		}
		if condition.at("observedGeneration").long() != seen.generation {
			seen.generation = -1
		}
	}
	seen.words = unique.Make(text)
	if strange.managers = otherManagers(metadata); len(strange.managers)+len(strange.conditions) > 0 {
		seen.others = &strange
	}
	return seen
}

// otherManagers are the field managers of a status besides this program.
func otherManagers(metadata field) (names []string) {
	for _, entry := range metadata.at("managedFields").list() {
		name := entry.at("manager").text()
		if entry.at("subresource").text() == "status" && name != FieldManager && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// wroteCondition reports whether this program owns a condition of that type.
func wroteCondition(metadata field, typ string) bool {
	return slices.ContainsFunc(metadata.at("managedFields").list(), func(entry field) bool {
		conditions, _ := entry.at("fieldsV1").at("f:status").at("f:conditions").value.(map[string]any)
		_, owns := conditions[`k:{"type":"`+typ+`"}`]
		return owns && entry.at("manager").text() == FieldManager
	})
}

// programmed tells that the object says that the generation that is meant is
// programmed.
func (o *observation) programmed(meant *summary) bool {
	i := slices.Index(v1alpha1.Conditions[:], v1alpha1.ConditionProgrammed)
	return o.uid == meant.uid && o.generation == meant.generation && isTrue(o.words.Value().conditions[i])
}

// conditions are what Status needs of a status to keep its times.
func (o *observation) conditions() []metav1.Condition {
	var conditions []metav1.Condition
	for i, c := range o.words.Value().conditions {
		if o.since[i] != 0 {
			conditions = append(conditions, metav1.Condition{
				Type:               c.Type,
				Status:             metav1.ConditionStatus(c.Status),
				LastTransitionTime: metav1.NewTime(time.Unix(int64(o.since[i]), 0)),
			})
		}
	}
	return conditions
}
