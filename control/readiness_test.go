package control

import (
	"testing"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/xds"
)

// outlook returns what a tool reads that knows neither Ready nor ours: the last
// condition, if it is Reconciling or Stalled.
func (w *world) outlook(name string) string {
	w.t.Helper()
	s, _ := w.status(name)
	last := s.Conditions[len(s.Conditions)-1]
	if last.Type == v1alpha1.ConditionEndpointsReady {
		return ""
	}
	if last.Status != isTrue || last.Message != s.Message {
		w.t.Errorf("%s: %+v, and the message is %q", name, last, s.Message)
	}
	return last.Type + " " + last.Reason
}

// A site that is not ready is either under way or stalled, and never both.
func TestWhoIsNotReadyIsReconcilingOrStalled(t *testing.T) {
	w := newWorld(t)
	is := func(name, want string) {
		t.Helper()
		if got := w.outlook(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	w.put(service(), newSite("a", "a.example.com"))
	w.progress()
	is("a", "Reconciling NoProxies")
	w.acknowledge(1, 1, nil)
	w.progress()
	is("a", "Reconciling Pending")
	w.proxy(1, nil)
	is("a", "")

	w.put(newSite("second", "a.example.com"), newSite("invalid", "*.example.com"))
	w.progress()
	is("second", "Stalled DomainConflict")
	is("invalid", "Stalled InvalidDomain")
	w.proxy(1, map[xds.ResourceName]xds.Exception{{Type: xds.ScopedRoute, Name: "a.example.com"}: {Refused: true, Reason: "no"}})
	is("a", "Stalled Rejected")
	w.proxy(1, nil)
	is("a", "")
	w.apply(map[object.Ref]object.Object{service().Ref(): nil})
	w.proxy(1, nil)
	is("a", "Stalled ServiceNotFound")
	w.put(service())
	w.proxy(1, nil)
	is("a", "")
}
