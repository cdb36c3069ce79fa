package decide

import (
	"testing"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/control/fleet"
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
)

var good = translate.Condition{OK: true, Reason: "Accepted"}

// sent is a site that nothing is wrong with, so that all depends on the proxies.
func sent() Site {
	return Site{Generation: 3, Domains: []string{"docs.example.com"}, Accepted: good, ResolvedRefs: good, Endpoints: translate.EndpointsUsable}
}

// The table of what is known and what is said. Programmed follows from the first row
// that applies: not accepted, refused, settled, and else it is undecided.
func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		site   func(*Site)
		own    Own
		others fleet.Opinion

		programmed, reason, message string // of Programmed
		phase                       v1alpha1.Phase
		summary                     string // the status's message
		outlook                     string // Reconciling or Stalled; empty: neither
		proxies                     int
		standing                    bool
	}{
		"settled": {
			site: func(s *Site) { s.Settled = true },
			own:  Own{Serving: 2}, others: fleet.Opinion{Serving: 1},
			programmed: isTrue, reason: v1alpha1.ReasonProgrammed, message: v1alpha1.MessageProgrammed,
			phase: v1alpha1.PhaseProvisioned, summary: v1alpha1.MessageProgrammed, proxies: 3,
		},
		"settled, and a proxy has begun since": {
			site:       func(s *Site) { s.Settled = true },
			own:        Own{Serving: 2, Holding: holdings.Holding{Acknowledged: 1}},
			programmed: isTrue, reason: v1alpha1.ReasonProgrammed, message: v1alpha1.MessageProgrammed,
			phase: v1alpha1.PhaseProvisioned, summary: v1alpha1.MessageProgrammed, proxies: 2,
		},
		"settled, without endpoints": {
			site:       func(s *Site) { s.Settled, s.Endpoints, s.Deserted = true, translate.EndpointsNone, true },
			own:        Own{Serving: 1},
			programmed: isTrue, reason: v1alpha1.ReasonProgrammed, message: v1alpha1.MessageProgrammed,
			phase: v1alpha1.PhaseProvisioned, summary: v1alpha1.MessageNoEndpoints, proxies: 1,
		},
		"settled, and tried again elsewhere": {
			site: func(s *Site) { s.Settled = true },
			own:  Own{Serving: 1, Holding: holdings.Holding{Acknowledged: 1}}, others: fleet.Opinion{Serving: 1, Holding: holdings.Holding{Trying: 1}},
			programmed: unknown, reason: v1alpha1.ReasonPending, message: v1alpha1.MessagePending(1, 2),
			phase: v1alpha1.PhasePending, summary: v1alpha1.MessagePending(1, 2), outlook: v1alpha1.ConditionReconciling, proxies: 1,
		},
		"acknowledged by some": {
			own: Own{Serving: 2, Holding: holdings.Holding{Acknowledged: 1}}, others: fleet.Opinion{Serving: 3, Holding: holdings.Holding{Acknowledged: 2}, Missing: "; b is away"},
			programmed: unknown, reason: v1alpha1.ReasonPending, message: v1alpha1.MessagePending(3, 5) + "; b is away",
			phase: v1alpha1.PhasePending, summary: v1alpha1.MessagePending(3, 5) + "; b is away", outlook: v1alpha1.ConditionReconciling, proxies: 3,
		},
		"an heir": {
			site: func(s *Site) { s.Heir = true },
			own:  Own{Serving: 1}, others: fleet.Opinion{Missing: "; b is away"},
			programmed: unknown, reason: v1alpha1.ReasonPending, message: v1alpha1.MessagePending(0, 1) + "; b is away",
			phase: v1alpha1.PhasePending, summary: v1alpha1.MessagePending(0, 1) + "; b is away", outlook: v1alpha1.ConditionReconciling, standing: true,
		},
		"a follower": {
			site: func(s *Site) { s.Heir = true },
			own:  Own{Serving: 1, Holding: holdings.Holding{Acknowledged: 1}}, others: fleet.Opinion{Following: true},
			programmed: unknown, reason: v1alpha1.ReasonPending, message: "the other replicas of the control plane have not been asked yet",
			phase: v1alpha1.PhasePending, summary: "the other replicas of the control plane have not been asked yet", outlook: v1alpha1.ConditionReconciling, proxies: 1, standing: true,
		},
		"refused here and elsewhere": {
			site: func(s *Site) { s.Settled = true },
			own:  Own{Serving: 1, Holding: holdings.Holding{Refused: 1, Words: "ours"}}, others: fleet.Opinion{Serving: 2, Holding: holdings.Holding{Refused: 1, Words: "theirs"}},
			programmed: isFalse, reason: v1alpha1.ReasonRejected, message: first(v1alpha1.MessageRejected(2, 3, "ours")),
			phase: v1alpha1.PhaseError, summary: second(v1alpha1.MessageRejected(2, 3, "ours")), outlook: v1alpha1.ConditionStalled, proxies: 1,
		},
		"refused by a replica that is silent since": {
			own: Own{}, others: fleet.Opinion{Holding: holdings.Holding{Refused: 1, Words: "theirs"}, Missing: "; b is away"},
			programmed: isFalse, reason: v1alpha1.ReasonRejected, message: first(v1alpha1.MessageRejected(1, 1, "theirs")),
			phase: v1alpha1.PhaseError, summary: second(v1alpha1.MessageRejected(1, 1, "theirs")), outlook: v1alpha1.ConditionStalled,
		},
		"no proxy serves": {
			programmed: unknown, reason: v1alpha1.ReasonNoProxies, message: v1alpha1.MessageNoProxies,
			phase: v1alpha1.PhasePending, summary: v1alpha1.MessageNoProxies, outlook: v1alpha1.ConditionReconciling,
		},
		"no proxy serves, and why": {
			own:        Own{Why: "its port is taken"},
			programmed: unknown, reason: v1alpha1.ReasonNotServing, message: first(v1alpha1.MessageNotServing("its port is taken")),
			phase: v1alpha1.PhasePending, summary: second(v1alpha1.MessageNotServing("its port is taken")), outlook: v1alpha1.ConditionReconciling,
		},
		"no proxy is known of": {
			others:     fleet.Opinion{Missing: "; b is away"},
			programmed: unknown, reason: v1alpha1.ReasonPending, message: v1alpha1.MessagePending(0, 0) + "; b is away",
			phase: v1alpha1.PhasePending, summary: v1alpha1.MessagePending(0, 0) + "; b is away", outlook: v1alpha1.ConditionReconciling,
		},
		"not accepted": {
			site:       func(s *Site) { s.Accepted = translate.Condition{Reason: "InvalidDomain", Message: "no"} },
			own:        Own{Serving: 1, Holding: holdings.Holding{Refused: 1}},
			programmed: isFalse, reason: v1alpha1.ReasonNotSent, message: v1alpha1.MessageNotSent,
			phase: v1alpha1.PhaseError, summary: "no", outlook: v1alpha1.ConditionStalled,
		},
		"withheld": {
			site:       func(s *Site) { s.Withheld = "too long" },
			own:        Own{Serving: 1},
			programmed: isFalse, reason: v1alpha1.ReasonNotSent, message: v1alpha1.MessageNotSent,
			phase: v1alpha1.PhaseError, summary: "the configuration made of this site is not valid, so the last valid one stays: too long", outlook: v1alpha1.ConditionStalled,
		},
		"no Service, while it is under way": {
			site:       func(s *Site) { s.ResolvedRefs = translate.Condition{Reason: "ServiceNotFound", Message: "no Service"} },
			own:        Own{Serving: 1},
			programmed: unknown, reason: v1alpha1.ReasonPending, message: v1alpha1.MessagePending(0, 1),
			phase: v1alpha1.PhaseError, summary: "no Service", outlook: v1alpha1.ConditionStalled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := sent()
			if c.site != nil {
				c.site(&s)
			}
			before := s
			d := Decide(&s, c.own, c.others)
			status := d.Status()
			p := condition(t, status, v1alpha1.ConditionProgrammed)
			if p.Status != c.programmed || p.Reason != c.reason || p.Message != c.message {
				t.Errorf("Programmed is %s %s %q, want %s %s %q", p.Status, p.Reason, p.Message, c.programmed, c.reason, c.message)
			}
			if d.Undecided() != (p.Status == unknown) {
				t.Errorf("undecided: %t", d.Undecided())
			}
			if status.Phase != string(c.phase) || status.Message != c.summary || status.Proxies != c.proxies || status.Generation != 3 {
				t.Errorf("the status is %s %q by %d proxies, want %s %q %d", status.Phase, status.Message, status.Proxies, c.phase, c.summary, c.proxies)
			}
			outlook := ""
			if last := status.Conditions[len(status.Conditions)-1]; last.Type != v1alpha1.ConditionEndpointsReady {
				outlook = last.Type
			}
			if outlook != c.outlook {
				t.Errorf("the outlook is %q, want %q", outlook, c.outlook)
			}
			if (status.Standing != nil) != c.standing {
				t.Errorf("what stands is %+v", status.Standing)
			} else if c.standing && (condition(t, status.Standing, v1alpha1.ConditionProgrammed) != programmed || status.Standing.Proxies != status.Proxies) {
				t.Errorf("what stands is %+v", status.Standing)
			}
			if s.Settled != before.Settled || s.Heir != before.Heir {
				t.Error("the site is not what it was")
			}
		})
	}
}

// EndpointsReady follows from the site alone.
func TestEndpointsReady(t *testing.T) {
	for name, c := range map[string]struct {
		site           func(*Site)
		status, reason string
	}{
		"usable":       {func(*Site) {}, isTrue, v1alpha1.ReasonEndpointsReady},
		"not for long": {func(s *Site) { s.Endpoints = translate.EndpointsNone }, isTrue, v1alpha1.ReasonEndpointsReady},
		"none":         {func(s *Site) { s.Endpoints, s.Deserted = translate.EndpointsNone, true }, isFalse, v1alpha1.ReasonNoEndpoints},
		"no Service": {func(s *Site) {
			s.Endpoints, s.Deserted, s.ResolvedRefs = translate.EndpointsNone, true, translate.Condition{}
		}, unknown, v1alpha1.ReasonUnresolved},
		"by proxies": {func(s *Site) { s.Endpoints = translate.EndpointsUnknown }, unknown, v1alpha1.ReasonResolvedByProxies},
		"not sent":   {func(s *Site) { s.Accepted = translate.Condition{} }, unknown, v1alpha1.ReasonNotSent},
	} {
		s := sent()
		c.site(&s)
		if got := condition(t, Decide(&s, Own{}, fleet.Opinion{}).Status(), v1alpha1.ConditionEndpointsReady); got.Status != c.status || got.Reason != c.reason {
			t.Errorf("%s: %+v, want %s %s", name, got, c.status, c.reason)
		}
	}
}

func condition(t *testing.T, s *sitestatus.Status, typ string) sitestatus.Condition {
	t.Helper()
	for _, c := range s.Conditions {
		if c.Type == typ {
			return c
		}
	}
	t.Fatalf("there is no condition %s in %+v", typ, s)
	return sitestatus.Condition{}
}

func first(text, _ string) string  { return text }
func second(_, text string) string { return text }
