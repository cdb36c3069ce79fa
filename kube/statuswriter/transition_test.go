package statuswriter

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/kube/observed"
	"my-company.com/staticsite-operator/sitestatus"
)

// with is served, but for one condition.
func with(typ, status, reason string, generation int64, domains ...string) sitestatus.Status {
	s := served("a", generation, domains...)
	condition := sitestatus.Condition{Type: typ, Status: status, Reason: reason, Message: "because of " + reason}
	i := slices.IndexFunc(s.Conditions, func(c sitestatus.Condition) bool { return c.Type == typ })
	if i < 0 {
		s.Conditions = append(s.Conditions, condition)
	} else {
		s.Conditions[i] = condition
	}
	return s
}

// unaccepted is the status of a site that is not sent, and why.
func unaccepted(reason string, generation int64) sitestatus.Status {
	s := with(v1alpha1.ConditionAccepted, "False", reason, generation)
	s.Conditions[2].Status, s.Conditions[2].Reason = "False", v1alpha1.ReasonNotSent
	return s
}

func TestTransitionsAreWhatAWriteChanged(t *testing.T) {
	fine := has("1", served("a", 1, "a.example.com"))
	for name, c := range map[string]struct {
		before *observed.Status
		after  sitestatus.Status
		want   []string
	}{
		"first visit":     {nothing("1"), served("a", 1, "a.example.com"), []string{"Accepted", "Programmed"}},
		"nothing":         {fine, served("a", 1, "a.example.com"), nil},
		"new generation":  {fine, served("a", 2, "a.example.com"), nil},
		"conflict":        {nothing("1"), unaccepted("DomainConflict", 1), []string{"!DomainConflict"}},
		"became invalid":  {fine, unaccepted("InvalidDomain", 2), []string{"!InvalidDomain"}},
		"another mistake": {has("1", unaccepted("InvalidDomain", 1)), unaccepted("DomainConflict", 2), []string{"!DomainConflict"}},
		"mended":          {has("1", unaccepted("InvalidDomain", 1)), served("a", 2, "a.example.com"), []string{"Accepted", "Programmed"}},
		"taken over": {has("1", unaccepted("DomainConflict", 1)), served("a", 1, "a.example.com"),
			[]string{"Accepted", "Programmed", "TakenOver"}},
		"gave up the conflict": {has("1", unaccepted("DomainConflict", 1)), served("a", 2, "b.example.com"), []string{"Accepted", "Programmed"}},
		"under way":            {fine, with("Programmed", "Unknown", "Pending", 2), nil},
		"arrived":              {has("1", with("Programmed", "Unknown", "Pending", 1)), served("a", 1), []string{"Programmed"}},
		"refused":              {has("1", with("Programmed", "Unknown", "Pending", 1)), with("Programmed", "False", "Rejected", 1), []string{"!Rejected"}},
		"still refused":        {has("1", with("Programmed", "False", "Rejected", 1)), with("Programmed", "False", "Rejected", 2), nil},
		"service gone":         {fine, with("ResolvedRefs", "False", "ServiceNotFound", 1), []string{"!ServiceNotFound"}},
		"service back":         {has("1", with("ResolvedRefs", "False", "ServiceNotFound", 1)), served("a", 1), []string{"ResolvedRefs"}},
		"last pod gone":        {has("1", with("EndpointsReady", "True", "EndpointsReady", 1)), with("EndpointsReady", "False", "NoEndpoints", 1), []string{"!NoEndpoints"}},
		"pod back":             {has("1", with("EndpointsReady", "False", "NoEndpoints", 1)), with("EndpointsReady", "True", "EndpointsReady", 1), []string{"EndpointsReady"}},
		"pods are starting":    {nothing("1"), with("EndpointsReady", "False", "NoEndpoints", 1), []string{"Accepted", "Programmed"}},
		"pods are there":       {nothing("1"), with("EndpointsReady", "True", "EndpointsReady", 1), []string{"Accepted", "Programmed"}},
		"no pod is looked at":  {has("1", with("EndpointsReady", "True", "EndpointsReady", 1)), with("EndpointsReady", "Unknown", "Unresolved", 1), nil},
		"never looked up":      {nothing("1"), with("ResolvedRefs", "False", "InvalidSpec", 1), []string{"Accepted", "Programmed"}},
	} {
		var got []string
		for _, tr := range transitions(write{key("a"), observed.Summarise(c.after), c.before, 1}) {
			got = append(got, map[bool]string{true: "!"}[tr.trouble]+tr.reason)
			if tr.note == "" || tr.action == "" {
				t.Errorf("%s: %+v", name, tr)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// An Event follows the write that it is about, and says what happens again in the
// same one; in between, statuses go first.
func TestEventsFollowTheStatuses(t *testing.T) {
	r := newRig(t)
	end := r.lead()
	version := 1
	step := func(s sitestatus.Status) {
		r.want(s)
		r.next()
		version++
		r.answers <- accepted(fmt.Sprint(version))
	}
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			e := <-r.events
			got := fmt.Sprintf("%s %s %s", e.request[:4], e.event.Type, e.event.Reason)
			if e.event.Series != nil {
				got = fmt.Sprintf("%s x%d", e.request[:5], e.event.Series.Count)
			}
			if got != w {
				t.Errorf("event %s, want %s", got, w)
			}
		}
	}
	r.see("a", nothing("1"))
	r.want(served("a", 1))
	r.next()
	select {
	case e := <-r.events:
		t.Errorf("before the status is written: %+v", e)
	default:
	}
	version++
	r.answers <- accepted("2")
	expect("POST Normal Accepted", "POST Normal Programmed")
	step(with("ResolvedRefs", "False", "ServiceNotFound", 1))
	expect("POST Warning ServiceNotFound")
	step(served("a", 1))
	expect("POST Normal ResolvedRefs")
	step(with("ResolvedRefs", "False", "ServiceNotFound", 1))
	expect("PATCH x2")
	step(served("a", 1))
	expect("PATCH x2")
	end()

	// Who leads next goes by what was written: it has nothing to tell.
	r.lead()
	step(served("a", 2))
	step(unaccepted("DomainConflict", 2))
	expect("POST Warning DomainConflict")
}

func TestNameOfAnEventFits(t *testing.T) {
	long := ""
	for range 126 {
		long += "a."
	}
	long += "a"
	if got := eventName(long, now); len(got) > 253 || len(got) < 250 {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if got := eventName("docs", now); got != fmt.Sprintf("docs.%x", now.UnixNano()) {
		t.Error(got)
	}
}
