package kube

import (
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
	generation int64  // of the status and of each condition; -1 where they differ
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
	version string                          // of the whole object
	since   [len(v1alpha1.Conditions)]int64 // lastTransitionTime of each condition, in Unix seconds; 0 if it has none
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
	for _, condition := range s.at("conditions").list() {
		i := slices.Index(v1alpha1.Conditions[:], condition.at("type").text())
		if i < 0 {
			continue // somebody else's
		}
		text.conditions[i] = control.Condition{
			Type:    v1alpha1.Conditions[i],
			Status:  condition.at("status").text(),
			Reason:  condition.at("reason").text(),
			Message: condition.at("message").text(),
		}
		if since := readTime(condition.at("lastTransitionTime")); !since.IsZero() {
			seen.since[i] = since.Unix()
		}
		if condition.at("observedGeneration").long() != seen.generation {
			seen.generation = -1
		}
	}
	seen.words = unique.Make(text)
	return seen
}

// programmed tells that the object says that the generation that is meant is
// programmed.
func (o *observation) programmed(meant *summary) bool {
	i := slices.Index(v1alpha1.Conditions[:], v1alpha1.ConditionProgrammed)
	return o.uid == meant.uid && o.generation == meant.generation && o.words.Value().conditions[i].Status == string(metav1.ConditionTrue)
}

// conditions are what Status needs of a status to keep its times.
func (o *observation) conditions() []metav1.Condition {
	var conditions []metav1.Condition
	for i, c := range o.words.Value().conditions {
		if o.since[i] != 0 {
			conditions = append(conditions, metav1.Condition{
				Type:               c.Type,
				Status:             metav1.ConditionStatus(c.Status),
				LastTransitionTime: metav1.NewTime(time.Unix(o.since[i], 0)),
			})
		}
	}
	return conditions
}
