package observed

import (
	"slices"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/sitestatus"
)

// Summary is one status of a site, wanted or observed, in little memory: the
// words are kept once for all sites that share them, which nearly all do.
type Summary struct {
	UID        string // of the object that it is about
	Generation int64  // of the status and of each condition; -1 where they differ, or something else is odd
	Domains    []string
	Words      unique.Handle[Words]
}

// Words are what a status says.
type Words struct {
	Phase, Message string
	Conditions     [len(v1alpha1.Conditions)]sitestatus.Condition // in their order; one that is not there has no Type
}

// Equal reports whether two statuses say the same.
func (s Summary) Equal(other Summary) bool {
	return s.Generation == other.Generation && s.Words == other.Words && slices.Equal(s.Domains, other.Domains)
}

// Summarise is the inverse of SiteStatus, but for the site's name.
func Summarise(s sitestatus.Status) Summary {
	text := Words{Phase: s.Phase, Message: sitestatus.Fit(s.Message, sitestatus.MaxMessage)}
	for _, c := range s.Conditions {
		if i := slices.Index(v1alpha1.Conditions[:], c.Type); i >= 0 {
			c.Message = sitestatus.Fit(c.Message, sitestatus.MaxMessage)
			text.Conditions[i] = c
		}
	}
	return Summary{s.UID, s.Generation, s.Domains, unique.Make(text)}
}

// Exceeds reports whether a status says more of a site than another one: that it
// holds a domain, or that all is well. That all was well with another generation was
// true of that one.
func (s *Summary) Exceeds(other *Summary) bool {
	if slices.ContainsFunc(s.Domains, func(d string) bool { return !slices.Contains(other.Domains, d) }) {
		return true
	}
	before, after := s.Words.Value().Conditions, other.Words.Value().Conditions
	for i, condition := range v1alpha1.Conditions {
		if isTrue(before[i]) && !isTrue(after[i]) && condition != v1alpha1.ConditionReconciling && condition != v1alpha1.ConditionStalled {
			return s.Generation == other.Generation
		}
	}
	return false
}

func isTrue(c sitestatus.Condition) bool { return c.Status == string(metav1.ConditionTrue) }

// SiteStatus is what is summed up, but for the site's name.
func (s Summary) SiteStatus() sitestatus.Status {
	text := s.Words.Value()
	return sitestatus.Status{
		UID:        s.UID,
		Generation: s.Generation,
		Phase:      text.Phase,
		Message:    text.Message,
		Domains:    s.Domains,
		Conditions: slices.DeleteFunc(text.Conditions[:], func(c sitestatus.Condition) bool { return c.Type == "" }),
	}
}
