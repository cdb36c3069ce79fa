package control

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// The status of a condition.
const (
	isTrue  = "True"
	isFalse = "False"
	unknown = "Unknown"
)

// world is a loop without its goroutine: the test says what happens when.
type world struct {
	*Loop
	t        testing.TB
	statuses map[object.Key]sitestatus.Status
	now      time.Time
}

func newWorld(t *testing.T) *world { return worldOf(t, translate.Options{}) }

func worldOf(t testing.TB, options translate.Options) *world {
	l := NewLoop(options, latest.New[object.Ref, object.Object](), xds.NewStore(),
		latest.New[uint64, xds.StreamState](), zaptest.NewLogger(t))
	w := &world{Loop: l, t: t, statuses: make(map[object.Key]sitestatus.Status), now: time.Unix(1000, 0)}
	w.apply(nil)
	return w
}

func newSite(name, domain string) *object.Site {
	return &object.Site{Key: object.Key{Namespace: "docs", Name: name}, Generation: 1,
		Domain: domain, Service: "web", Port: 80}
}

func (w *world) apply(changes map[object.Ref]object.Object) { w.Loop.apply(changes, w.now) }

func (w *world) put(objects ...object.Object) {
	changes := make(map[object.Ref]object.Object)
	for _, o := range objects {
		changes[o.Ref()] = o
	}
	w.apply(changes)
}

func service() *object.Service {
	return &object.Service{Key: object.Key{Namespace: "docs", Name: "web"}, Ports: []object.ServicePort{{Port: 80}}}
}

// proxy says what a proxy acknowledged: all of the newest snapshot, but for the
// exceptions.
func (w *world) proxy(id uint64, exceptions map[xds.ResourceName]xds.Exception) {
	w.acknowledge(id, w.store.Latest().Seq(), exceptions)
}

func (w *world) acknowledge(id, seq uint64, exceptions map[xds.ResourceName]xds.Exception) {
	state := xds.StreamState{ID: id, Exceptions: exceptions}
	for _, t := range []xds.Type{xds.Cluster, xds.Listener, xds.ScopedRoute, xds.Route} {
		state.Types[t] = xds.TypeState{Active: true, Acked: seq}
	}
	w.Loop.observe(map[uint64]xds.StreamState{id: state}, w.now)
}

// status returns the newest status of a site and whether there was a new one.
func (w *world) status(name string) (sitestatus.Status, bool) {
	w.t.Helper()
	taken := w.Statuses().Take()
	for k, s := range taken {
		w.statuses[k] = s
	}
	key := object.Key{Namespace: "docs", Name: name}
	_, fresh := taken[key]
	return w.statuses[key], fresh
}

// progress lets the time pass after which the undecided is told.
func (w *world) progress() {
	w.join.progress(w.now)
	w.join.progress(w.now)
	w.invariants()
}

// expect checks one condition of a site.
func (w *world) expect(name, condition, status, reason, message string) {
	w.t.Helper()
	s, _ := w.status(name)
	for _, c := range s.Conditions {
		if c.Type == condition {
			if c.Status != status || c.Reason != reason || !strings.Contains(c.Message, message) {
				w.t.Errorf("%s of %s is %s %s %q, want %s %s %q", condition, name, c.Status, c.Reason, c.Message, status, reason, message)
			}
			return
		}
	}
	w.t.Errorf("%s has no condition %s: %+v", name, condition, s)
}

func TestProgrammedMeansThatEveryProxyAcknowledged(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.proxy(2, nil)
	w.put(service(), newSite("a", "a.example.com"))
	if s, fresh := w.status("a"); fresh {
		t.Fatalf("a status before anybody had time to acknowledge: %+v", s)
	}
	w.proxy(1, nil)
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "1 of 2")
	w.expect("a", v1alpha1.ConditionReady, unknown, v1alpha1.ReasonNotReady, "1 of 2")
	w.proxy(2, nil)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "every serving proxy")
	w.expect("a", v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonReady, "")
	if s, _ := w.status("a"); s.Phase != "Provisioned" || len(s.Domains) != 1 || s.Generation != 1 {
		t.Errorf("status is %+v", s)
	}
}

func TestProxyThatConnectsLeavesTrueAndHoldsUpNew(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, nil)
	w.status("a")
	w.acknowledge(2, 1, nil)
	w.progress()
	if s, fresh := w.status("a"); fresh {
		t.Errorf("a proxy that connects rewrote a status: %+v", s)
	}
	w.put(newSite("b", "b.example.com"))
	w.proxy(1, nil)
	w.progress()
	w.expect("b", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "1 of 2")
	w.proxy(2, nil)
	w.expect("b", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestRefusalIsToldInEnvoysWordsAndHeals(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.proxy(2, nil)
	w.put(service(), newSite("a", "a.example.com"), newSite("b", "b.example.com"))
	scope := xds.ResourceName{Type: xds.ScopedRoute, Name: "a.example.com"}
	w.proxy(1, nil)
	w.proxy(2, map[xds.ResourceName]xds.Exception{scope: {Version: "1"}})
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "1 of 2")
	w.expect("b", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	w.proxy(2, map[xds.ResourceName]xds.Exception{scope: {Version: "1", Refused: true, Reason: "missing ]: ["}})
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "1 of 2 serving proxies, which keep what they had; Envoy says: missing ]: [")
	if s, _ := w.status("a"); s.Phase != "Error" {
		t.Errorf("phase is %s", s.Phase)
	}
	mended := newSite("a", "a.example.com")
	mended.Generation, mended.Port = 2, 81
	w.put(mended)
	w.proxy(1, nil)
	w.proxy(2, nil)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	if s, _ := w.status("a"); s.Generation != 2 {
		t.Errorf("the status is about generation %d", s.Generation)
	}
}

func TestRefusalEndsWithTheProxyThatRefused(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, nil)
	scope := xds.ResourceName{Type: xds.ScopedRoute, Name: "a.example.com"}
	w.proxy(2, map[xds.ResourceName]xds.Exception{scope: {Refused: true, Reason: "no"}})
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "")
	w.join.observe(map[uint64]xds.StreamState{2: {ID: 2, Closed: true}}, w.now)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestNoProxiesIsSaidAfterAWhile(t *testing.T) {
	w := newWorld(t)
	w.put(service(), newSite("new", "new.example.com"))
	w.progress()
	w.expect("new", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNoProxies, "")
	w.proxy(1, nil)
	w.expect("new", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	w.join.observe(map[uint64]xds.StreamState{1: {ID: 1, Closed: true}}, w.now)
	w.join.progress(w.now.Add(proxiesGrace))
	w.expect("new", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	w.join.progress(w.now.Add(proxiesGrace + time.Second))
	w.expect("new", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNoProxies, "")
	w.proxy(2, nil)
	w.expect("new", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestSiteIsGoneWhenNoProxyServesIt(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	a := newSite("a", "a.example.com")
	w.put(service(), a)
	w.proxy(1, nil)
	w.status("a")
	w.apply(map[object.Ref]object.Object{a.Ref(): nil})
	if s, fresh := w.status("a"); fresh {
		t.Errorf("said before it was acknowledged: %+v", s)
	}
	w.proxy(1, nil)
	if s, fresh := w.status("a"); !fresh || !s.Gone {
		t.Errorf("not said: %+v", s)
	}
	if w.join.sites.Len()+len(w.join.users) != 0 {
		t.Errorf("something is left of it: %d sites, %v", w.join.sites.Len(), w.join.users)
	}
}

// Nobody is left who could acknowledge that a site is gone, and on a follower no
// orphan comes.
func TestSiteIsGoneWithTheLastProxy(t *testing.T) {
	w := newWorld(t)
	w.Follow("v1")
	w.proxy(1, nil)
	a := newSite("a", "a.example.com")
	w.put(service(), a)
	w.proxy(1, nil)
	w.apply(map[object.Ref]object.Object{a.Ref(): nil})
	w.join.observe(map[uint64]xds.StreamState{1: {ID: 1, Closed: true}}, w.now)
	if s, fresh := w.status("a"); !fresh || !s.Gone {
		t.Errorf("not said: %+v", s)
	}
	if w.join.sites.Len() != 0 {
		t.Errorf("%d sites are left", w.join.sites.Len())
	}
}

func TestWhoAsksForNoListenerIsNoProxy(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	person := xds.StreamState{ID: 2}
	person.Types[xds.Cluster] = xds.TypeState{Active: true}
	w.join.observe(map[uint64]xds.StreamState{2: person}, w.now)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, nil)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestPodsThatMoveWriteNoStatus(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"), pods("10.0.0.1"))
	w.proxy(1, nil)
	w.status("a")
	w.put(pods("10.0.0.2", "10.0.0.3"))
	w.put(pods())
	w.put(pods("10.0.0.4"))
	w.progress()
	if s, fresh := w.status("a"); fresh {
		t.Errorf("a status was written: %+v", s)
	}
	w.proxy(1, nil)
	if s, fresh := w.status("a"); fresh {
		t.Errorf("a status was written: %+v", s)
	}
}

// What a site costs when a proxy acknowledges must not depend on the other sites.
func TestAcknowledgementTouchesOnlyWhoWaited(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	objects := []object.Object{service()}
	for i := range 500 {
		objects = append(objects, newSite(fmt.Sprint("s", i), fmt.Sprintf("s%d.example.com", i)))
	}
	w.put(objects...)
	w.proxy(1, nil)
	w.status("s0")
	moved := newSite("s7", "moved.example.com")
	moved.Generation = 2
	w.put(moved)
	if len(w.join.waiting) != 1 {
		t.Fatalf("%d sites wait for a change of one", len(w.join.waiting))
	}
	w.proxy(1, nil)
	if taken := w.Statuses().Take(); len(taken) != 1 {
		t.Errorf("%d statuses for a change of one site", len(taken))
	}
}
