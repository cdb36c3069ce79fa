package kube

import (
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/control"
)

// Status is a site's status as its object has it. A condition whose status is
// as before keeps its lastTransitionTime; the others get now.
func Status(want control.SiteStatus, before []metav1.Condition, now time.Time) v1alpha1.StaticSiteStatus {
	status := v1alpha1.StaticSiteStatus{
		ObservedGeneration: want.Generation,
		Phase:              v1alpha1.Phase(want.Phase),
		Message:            fit(want.Message),
		Domains:            want.Domains,
	}
	for _, c := range want.Conditions {
		condition := metav1.Condition{
			Type:               c.Type,
			Status:             metav1.ConditionStatus(c.Status),
			ObservedGeneration: want.Generation,
			LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)), // its precision on the wire
			Reason:             c.Reason,
			Message:            fit(c.Message),
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

// fit makes a message one that the API server takes and gives back unchanged:
// in the schema's bounds and valid UTF-8. Words of a proxy need not be.
func fit(message string) string { return fitIn(message, 32768) }

// fitIn is fit for a bound of so many bytes.
func fitIn(message string, most int) string {
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
