package observed

import (
	"testing"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
)

// served is the status of a site that every proxy serves.
func served(name string, generation int64, domains ...string) sitestatus.Status {
	s := sitestatus.Status{
		Site: object.Key{Namespace: "docs", Name: name}, Generation: generation, Domains: domains,
		Phase: string(v1alpha1.PhaseProvisioned), Message: "acknowledged by every serving proxy",
	}
	for _, t := range v1alpha1.Conditions[:4] {
		s.Conditions = append(s.Conditions, sitestatus.Condition{Type: t, Status: "True", Reason: t, Message: "fine"})
	}
	return s
}

func TestEverythingThatDiffersIsADifference(t *testing.T) {
	base := served("a", 2, "a.example.com")
	for name, change := range map[string]func(*sitestatus.Status){
		"generation":        func(s *sitestatus.Status) { s.Generation++ },
		"phase":             func(s *sitestatus.Status) { s.Phase = "Error" },
		"message":           func(s *sitestatus.Status) { s.Message += "!" },
		"domains":           func(s *sitestatus.Status) { s.Domains = append(s.Domains, "b.example.com") },
		"condition status":  func(s *sitestatus.Status) { s.Conditions[2].Status = "False" },
		"condition reason":  func(s *sitestatus.Status) { s.Conditions[2].Reason = "Other" },
		"condition message": func(s *sitestatus.Status) { s.Conditions[3].Message += "!" },
		"condition missing": func(s *sitestatus.Status) { s.Conditions = s.Conditions[:3] },
		"condition added": func(s *sitestatus.Status) {
			s.Conditions = append(s.Conditions, sitestatus.Condition{Type: v1alpha1.ConditionStalled, Status: "True", Reason: "Rejected"})
		},
	} {
		other := served("a", 2, "a.example.com")
		change(&other)
		if Summarise(base).Equal(Summarise(other)) {
			t.Errorf("%s: no difference", name)
		}
	}
	other := served("a", 2, "a.example.com")
	other.Proxies = 7 // for logs only
	if !Summarise(base).Equal(Summarise(other)) {
		t.Error("the number of proxies is a difference")
	}
}

// Somebody else wrote one of our conditions, about an older generation.
func TestAConditionOfAnotherGenerationIsADifference(t *testing.T) {
	site := func(ofProgrammed int64) map[string]any {
		var conditions []any
		for i, typ := range v1alpha1.Conditions[:4] {
			generation := int64(1)
			if i == 2 {
				generation = ofProgrammed
			}
			conditions = append(conditions, map[string]any{
				"type": typ, "status": "True", "reason": typ, "message": "fine", "observedGeneration": generation,
			})
		}
		return map[string]any{"status": map[string]any{"observedGeneration": int64(1), "conditions": conditions}}
	}
	if !Read(site(1)).Equal(Read(site(1)).Summary) {
		t.Error("equal statuses differ")
	}
	if Read(site(1)).Equal(Read(site(0)).Summary) {
		t.Error("no difference")
	}
}
