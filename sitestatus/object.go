package sitestatus

import (
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// InObject returns the status as the site's object has it. A condition whose status
// is as before keeps its lastTransitionTime; the others get now.
func (want Status) InObject(before []metav1.Condition, now time.Time) v1alpha1.StaticSiteStatus {
	status := v1alpha1.StaticSiteStatus{
		ObservedGeneration: want.Generation,
		Phase:              v1alpha1.Phase(want.Phase),
		Message:            Fit(want.Message, MaxMessage),
		Domains:            want.Domains,
	}
	for _, c := range want.Conditions {
		condition := metav1.Condition{
			Type:               c.Type,
			Status:             metav1.ConditionStatus(c.Status),
			ObservedGeneration: want.Generation,
			LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)), // its precision on the wire
			Reason:             c.Reason,
			Message:            Fit(c.Message, MaxMessage),
		}
		for _, b := range before {
			if b.Type == c.Type && b.Status == condition.Status && !b.LastTransitionTime.IsZero() {
				condition.LastTransitionTime = b.LastTransitionTime
			}
		}
		status.Conditions = append(status.Conditions, condition)
	}
	return status
}

// MaxMessage is how long a message may be, in bytes, by the schema.
const MaxMessage = 32768

// Fit makes a text one that the API server takes and gives back unchanged: valid
// UTF-8, and of at most so many bytes. Words of a proxy need not be either.
func Fit(message string, most int) string {
	const ellipsis = "..."
	message = strings.ToValidUTF8(message, "?")
	if len(message) <= most {
		return message
	}
	end := most - len(ellipsis)
	for !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + ellipsis
}
