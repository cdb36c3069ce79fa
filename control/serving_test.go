package control

import (
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/control/proxies"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

const taken = "cannot bind '0.0.0.0:8080': Address already in use"

var theListener = xds.ResourceName{Type: xds.Listener, Name: "http_listener"}

// refuser is a proxy that refuses its listener. As Envoy does, it has asked for
// routes and acknowledged them nevertheless.
func (w *world) refuser(id uint64, words string) xds.StreamState {
	s := w.complete(id)
	s.Exceptions = map[xds.ResourceName]xds.Exception{theListener: {Version: "1", Refused: true, Reason: words}}
	return s
}

// complete is a proxy that has acknowledged everything.
func (w *world) complete(id uint64) xds.StreamState {
	s := xds.StreamState{ID: id, Node: "edge"}
	for _, t := range []xds.Type{xds.Cluster, xds.Listener, w.routes()} {
		s.Types[t] = xds.TypeState{Active: true, Acked: w.store.Latest().Seq()}
	}
	return s
}

func (w *world) observe(s xds.StreamState) {
	w.Loop.observe(map[uint64]xds.StreamState{s.ID: s}, w.now)
}

// routes is the type that holds the sites' routes.
func (w *world) routes() xds.Type {
	if w.single {
		return xds.Route
	}
	return xds.ScopedRoute
}

// logged has what is said of proxies, of which there must be none yet, logged into what
// is returned.
func (w *world) logged() *observer.ObservedLogs {
	core, logs := observer.New(zapcore.InfoLevel)
	w.join.ours = proxies.New(w.routes(), zap.New(core))
	return logs
}

// A proxy that does not serve is no proxy that a site waits for, and none that a
// site is programmed by.
func TestWhoDoesNotServeHoldsUpNobodyAndIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*xds.StreamState)
		why    string
		atOnce bool
	}{
		"refuses its listener": {func(s *xds.StreamState) {
			s.Exceptions = map[xds.ResourceName]xds.Exception{theListener: {Version: "1", Refused: true, Reason: taken}}
		}, "refuses its listener, and is asked again; Envoy says: " + taken, true},
		"is tried again": {func(s *xds.StreamState) {
			s.Exceptions = map[xds.ResourceName]xds.Exception{theListener: {Version: "1", Reason: taken}}
		}, "Envoy says: " + taken, true},
		"has no listener yet": {func(s *xds.StreamState) { s.Types[xds.Listener].Acked = 0 }, "does not acknowledge its listener", false},
		"asks for no routes":  {func(s *xds.StreamState) { s.Types[xds.ScopedRoute] = xds.TypeState{} }, "does not ask for routes", false},
		"asks for the other's routes": {func(s *xds.StreamState) {
			s.Types[xds.Route], s.Types[xds.ScopedRoute] = s.Types[xds.ScopedRoute], xds.TypeState{}
		}, "does not ask for routes", false},
		"has no routes yet": {func(s *xds.StreamState) { s.Types[xds.ScopedRoute].Acked = 0 }, "does not acknowledge its routes", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			logs := w.logged()
			idle := w.complete(1)
			c.change(&idle)
			w.observe(idle)
			w.put(service(), newSite("a", "a.example.com"))
			w.observe(idle)
			w.progress()
			if c.atOnce {
				w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNotServing, c.why)
			} else {
				w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNoProxies, "no serving proxy is connected")
			}
			w.now = w.now.Add(proxiesGrace + time.Second)
			w.progress()
			w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNotServing, "no proxy serves any site: a proxy ")
			w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNotServing, c.why)
			w.expect("a", v1alpha1.ConditionReconciling, isTrue, v1alpha1.ReasonNotServing, "no proxy serves any site; condition Programmed says why")
			if lines := logs.FilterMessageSnippet("does not serve").All(); len(lines) != 1 || !strings.Contains(lines[0].ContextMap()["why"].(string), c.why) || lines[0].ContextMap()["node"] != "edge" {
				t.Errorf("logged: %+v", lines)
			}
			w.figure(0, 1)

			// Another serves: the first one is not waited for, now or later.
			w.proxy(2, nil)
			w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "every serving proxy")
			w.put(newSite("b", "b.example.com"))
			w.proxy(2, nil)
			w.expect("b", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
			w.figure(1, 1)

			// It serves at last, with what it has: it is one of two from now on.
			w.observe(w.complete(1))
			w.figure(2, 0)
			if logs.FilterMessageSnippet("serves now").Len() != 1 {
				t.Errorf("logged: %+v", logs.All())
			}
			w.put(newSite("c", "c.example.com"))
			w.proxy(2, nil)
			w.progress()
			w.expect("c", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "1 of 2")
			w.observe(w.complete(1))
			w.expect("c", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
		})
	}
}

func (w *world) figure(serving, others float64) {
	w.t.Helper()
	for gauge, want := range map[interface{ Write(*dto.Metric) error }]float64{w.join.serving: serving, w.join.others: others} {
		var m dto.Metric
		if err := gauge.Write(&m); err != nil || m.GetGauge().GetValue() != want {
			w.t.Errorf("%v is %v, want %v (%v)", m.GetLabel(), m.GetGauge().GetValue(), want, err)
		}
	}
}

// What was True stays so for a while, as if the proxy were gone.
func TestNobodyServesAnyMore(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, nil)
	w.gone(1)
	w.observe(w.refuser(2, taken))
	w.progress()
	w.join.progress(w.now.Add(proxiesGrace))
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	w.join.progress(w.now.Add(proxiesGrace + time.Second))
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNotServing, taken)
}

// A proxy that goes on with an older listener serves.
func TestAnOlderListenerServes(t *testing.T) {
	w := newWorld(t)
	w.put(service(), newSite("a", "a.example.com"))
	s := w.complete(1)
	s.Exceptions = map[xds.ResourceName]xds.Exception{theListener: {Version: "2", Refused: true, Reason: taken, Older: true}}
	w.observe(s)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

// In layout single the table is what makes a proxy serve; one that refuses it says so
// in the sites' statuses.
func TestServingInLayoutSingle(t *testing.T) {
	w := worldOf(t, translate.Options{Routes: translate.RoutesSingle})
	w.put(service(), newSite("a", "a.example.com"))
	idle := w.complete(1)
	idle.Types[xds.Route] = xds.TypeState{}
	w.observe(idle)
	w.now = w.now.Add(time.Minute)
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNotServing, "does not ask for routes")
	refuses := w.complete(1)
	refuses.Exceptions = map[xds.ResourceName]xds.Exception{{Type: xds.Route, Name: "dynamic_routes"}: {Version: "1", Refused: true, Reason: "no"}}
	w.observe(refuses)
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "refused by 1 of 1 serving proxies")
	w.observe(w.complete(1))
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

// Proxies that come, say something else and go again do not rewrite every status
// each time.
func TestWhyNobodyServesIsSaidOnceAMinute(t *testing.T) {
	w := newWorld(t)
	w.put(service(), newSite("a", "a.example.com"))
	w.progress()
	before, _ := w.status("a")
	written := 0
	for i := range 60 { // a minute
		words := []string{taken, "unknown extension"}[i%2]
		w.observe(w.refuser(uint64(i), words))
		w.now = w.now.Add(time.Second / 2)
		w.join.progress(w.now)
		w.gone(uint64(i))
		w.now = w.now.Add(time.Second / 2)
		w.join.progress(w.now)
		if s, _ := w.status("a"); s.Conditions[programmedAt] != before.Conditions[programmedAt] {
			written++
			before = s
		}
	}
	if written != 1 {
		t.Errorf("%d statuses in a minute", written)
	}
	w.proxy(1000, nil)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestNobodyServesAtAnyReplica(t *testing.T) {
	w, others := newFleet(t, "b")
	b := others["b"]
	b.report()
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNoProxies, "")
	b.observe(b.refuser(1, taken))
	b.progress()
	b.report()
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNotServing, taken)

	// Ours serves: that of the other replica holds up nobody.
	w.proxy(1, nil)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

// A refusal is said in full once, however long it is: 888 bytes were 132 KB.
func TestAStatusStaysSmall(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"), pods("10.0.0.1"))
	w.proxy(1, nil)
	w.status("a")
	words := xds.Words(strings.Repeat("語", 100_000))
	scope := xds.ResourceName{Type: xds.ScopedRoute, Name: "a.example.com"}
	w.proxy(1, map[xds.ResourceName]xds.Exception{scope: {Version: "1", Refused: true, Reason: words}})
	s, _ := w.status("a")
	size, said := len(s.Message), strings.Count(s.Message, words)
	for _, c := range s.Conditions {
		size += len(c.Type) + len(c.Status) + len(c.Reason) + len(c.Message)
		said += strings.Count(c.Message, words)
	}
	if size > 2_500 || said != 1 {
		t.Errorf("a status of %d bytes says a proxy's words %d times: %+v", size, said, s)
	}
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, words)
	const gist = "refused by 1 of 1 serving proxies, which keep what they had; condition Programmed has Envoy's words"
	w.expect("a", v1alpha1.ConditionReady, isFalse, v1alpha1.ReasonNotReady, gist)
	w.expect("a", v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonRejected, gist)
	if s.Message != gist {
		t.Errorf("message is %q", s.Message)
	}
}

// An exception that is not new may be about more sites: those that changed up to what
// the proxy acknowledges since.
func TestAnUnchangedRefusalCoversMore(t *testing.T) {
	w := newWorld(t)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, nil)
	w.proxy(2, nil)
	cluster := xds.ResourceName{Type: xds.Cluster, Name: "docs_web_80_cluster"}
	refusal := map[xds.ResourceName]xds.Exception{cluster: {Version: "1", Refused: true, Reason: "no"}}
	w.proxy(1, refusal)
	before := w.store.Latest().Seq()
	w.put(newSite("b", "b.example.com")) // on the same cluster
	w.acknowledge(1, before, refusal)
	w.proxy(1, refusal) // The other proxy stands still, so nobody waits for this one alone.
	w.expect("b", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "refused by 1 of 2")
}
