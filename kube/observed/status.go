package observed

import (
	"math"
	"slices"
	"time"
	"unique"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/decode"
	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/sitestatus"
)

// Status is the status that the API server has for a site.
type Status struct {
	Summary
	Version string                           // of the whole object
	Listing uint32                           // which listing of the cluster it is from, or from a watch that went on from there
	Since   [len(v1alpha1.Conditions)]uint32 // lastTransitionTime of each condition, in Unix seconds; 0 if it has none
	Others  *Others                          // nil if there are none, as nearly always
}

// Others is what others have to do with a status.
type Others struct {
	Managers   []string // the field managers, besides ours, that own something in it
	Conditions []any    // of types that are not ours: they are somebody's own, and stay
}

// Read reads what matters of a site's status. It cannot fail: a status that
// looks odd is one that differs from what it should be.
func Read(root map[string]any) *Status {
	f := decode.Lenient(root)
	s := f.At("status")
	metadata := f.At("metadata")
	seen := &Status{Version: metadata.At("resourceVersion").Text()}
	seen.UID = metadata.At("uid").Text()
	seen.Generation = s.At("observedGeneration").Long()
	seen.Domains = s.At("domains").Texts()
	text := Words{Phase: s.At("phase").Text(), Message: s.At("message").Text()}
	var strange Others
	for _, condition := range s.At("conditions").List() {
		typ := condition.At("type").Text()
		i := slices.Index(v1alpha1.Conditions[:], typ)
		if i < 0 && wroteCondition(metadata, typ) {
			seen.Generation = -1 // a later version of this program left it behind
			continue
		}
		if i < 0 {
			strange.Conditions = append(strange.Conditions, condition.Value)
			continue
		}
		text.Conditions[i] = sitestatus.Condition{
			Type:    v1alpha1.Conditions[i],
			Status:  condition.At("status").Text(),
			Reason:  condition.At("reason").Text(),
			Message: condition.At("message").Text(),
		}
		if since := condition.At("lastTransitionTime").Time().Unix(); since > 0 && since <= math.MaxUint32 {
			seen.Since[i] = uint32(since)
		}
		if condition.At("observedGeneration").Long() != seen.Generation {
			seen.Generation = -1
		}
	}
	seen.Words = unique.Make(text)
	if strange.Managers = otherManagers(metadata); len(strange.Managers)+len(strange.Conditions) > 0 {
		seen.Others = &strange
	}
	return seen
}

// otherManagers are the field managers of a status besides this program.
func otherManagers(metadata decode.Field) (names []string) {
	for _, entry := range metadata.At("managedFields").List() {
		name := entry.At("manager").Text()
		if entry.At("subresource").Text() == "status" && name != kube.FieldManager && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// wroteCondition reports whether this program owns a condition of that type.
func wroteCondition(metadata decode.Field, typ string) bool {
	return slices.ContainsFunc(metadata.At("managedFields").List(), func(entry decode.Field) bool {
		conditions, _ := entry.At("fieldsV1").At("f:status").At("f:conditions").Value.(map[string]any)
		_, owns := conditions[`k:{"type":"`+typ+`"}`]
		return owns && entry.At("manager").Text() == kube.FieldManager
	})
}

// Programmed reports whether the object says that the generation that is meant is
// programmed.
func (o *Status) Programmed(meant *Summary) bool {
	i := slices.Index(v1alpha1.Conditions[:], v1alpha1.ConditionProgrammed)
	return o.UID == meant.UID && o.Generation == meant.Generation && isTrue(o.Words.Value().Conditions[i])
}

// Times are the conditions as sitestatus.Status.InObject needs them, to keep their times.
func (o *Status) Times() []metav1.Condition {
	var conditions []metav1.Condition
	for i, c := range o.Words.Value().Conditions {
		if o.Since[i] != 0 {
			conditions = append(conditions, metav1.Condition{
				Type:               c.Type,
				Status:             metav1.ConditionStatus(c.Status),
				LastTransitionTime: metav1.NewTime(time.Unix(int64(o.Since[i]), 0)),
			})
		}
	}
	return conditions
}
