package proxies

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/xds"
)

var (
	start   = time.Unix(1000, 0)
	cluster = xds.ResourceName{Type: xds.Cluster, Name: "web"}
	scope   = xds.ResourceName{Type: xds.ScopedRoute, Name: "docs.example.com"}
	site    = []xds.ResourceName{scope, cluster}
)

// at is a proxy that has acknowledged all types up to a snapshot.
func at(seq uint64, exceptions map[xds.ResourceName]xds.Exception) xds.StreamState {
	s := xds.StreamState{Exceptions: exceptions}
	for _, t := range []xds.Type{xds.Cluster, xds.Listener, xds.ScopedRoute} {
		s.Types[t] = xds.TypeState{Active: true, Acked: seq}
	}
	return s
}

func refusing(name xds.ResourceName, words string) map[xds.ResourceName]xds.Exception {
	return map[xds.ResourceName]xds.Exception{name: {Version: "1", Refused: true, Reason: words}}
}

func trying(name xds.ResourceName) map[xds.ResourceName]xds.Exception {
	return map[xds.ResourceName]xds.Exception{name: {Version: "1"}}
}

// What is counted of a site that changed last in snapshot 5.
func TestOf(t *testing.T) {
	shared := func(name xds.ResourceName) bool { return name == cluster }
	for name, c := range map[string]struct {
		states  []map[uint64]xds.StreamState
		reached bool
		want    Count
	}{
		"nobody":          {nil, false, Count{}},
		"all":             {one(1, at(5, nil), 2, at(6, nil)), true, Count{Acknowledged: 2}},
		"one is slow":     {one(1, at(5, nil), 2, at(4, nil)), false, Count{Acknowledged: 1}},
		"endpoints alone": {one(1, withEndpoints(at(5, nil), 1)), true, Count{Acknowledged: 1}},
		"idle":            {one(1, at(0, nil), 2, at(5, nil)), true, Count{Acknowledged: 1}},
		"refused":         {one(1, at(5, refusing(scope, "no")), 2, at(5, nil)), true, Count{Acknowledged: 1, Refused: 1, Words: "no"}},
		"first words":     {one(2, at(5, refusing(scope, "second")), 1, at(5, refusing(cluster, "first"))), true, Count{Refused: 2, Words: "first"}},
		"asked again":     {one(1, at(5, trying(scope))), true, Count{Trying: 1}},
		"both by one": {one(1, at(5, map[xds.ResourceName]xds.Exception{scope: {Version: "1"}, cluster: {Version: "1", Refused: true, Reason: "no"}})),
			true, Count{Refused: 1, Words: "no"}},
		"before the site changed": {one(1, at(4, refusing(scope, "no"))), false, Count{}},
		"shared, and had before": {[]map[uint64]xds.StreamState{{1: at(5, nil)}, {1: at(6, refusing(cluster, "no"))}},
			true, Count{Acknowledged: 1}},
		"shared, and new": {[]map[uint64]xds.StreamState{{1: at(4, nil)}, {1: at(6, refusing(cluster, "no"))}},
			true, Count{Refused: 1, Words: "no"}},
		"still refused, in other words": {[]map[uint64]xds.StreamState{{1: at(4, nil)}, {1: at(6, refusing(cluster, "no"))}, {1: at(7, refusing(cluster, "no!"))}},
			true, Count{Refused: 1, Words: "no!"}},
		"not shared, and had before": {[]map[uint64]xds.StreamState{{1: at(5, nil)}, {1: at(6, refusing(scope, "no"))}},
			true, Count{Refused: 1, Words: "no"}},
		"gone": {[]map[uint64]xds.StreamState{{1: at(4, refusing(scope, "no")), 2: at(5, nil)}, {1: {Closed: true}}},
			true, Count{Acknowledged: 1}},
		"idle again": {[]map[uint64]xds.StreamState{{1: at(5, refusing(scope, "no"))}, {1: at(0, refusing(scope, "no"))}}, false, Count{}},
	} {
		table := New(xds.ScopedRoute, zap.NewNop())
		for _, states := range c.states {
			table.Observe(states, start)
		}
		if got := table.Of(site, 5, shared); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if got := table.Reached(5); got != c.reached {
			t.Errorf("%s: reached is %t", name, got)
		}
	}
}

// one is a single observation of one proxy or more.
func one(pairs ...any) []map[uint64]xds.StreamState {
	states := make(map[uint64]xds.StreamState)
	for i := 0; i < len(pairs); i += 2 {
		states[uint64(pairs[i].(int))] = pairs[i+1].(xds.StreamState)
	}
	return []map[uint64]xds.StreamState{states}
}

func withEndpoints(s xds.StreamState, acked uint64) xds.StreamState {
	s.Types[xds.Endpoint] = xds.TypeState{Active: true, Acked: acked}
	return s
}

// An observation touches the resources of which it says something else, and of those
// the sites that it may be about.
func TestWhatAnObservationTouches(t *testing.T) {
	table := New(xds.ScopedRoute, zap.NewNop())
	for _, step := range []struct {
		what  string
		state xds.StreamState
		want  []Touched
	}{
		{"it serves", at(1, nil), nil},
		{"it refuses", at(2, refusing(scope, "no")), []Touched{{scope, 0}}},
		{"the same again", at(2, refusing(scope, "no")), nil},
		{"more is acknowledged", at(3, refusing(scope, "no")), []Touched{{scope, 2}}},
		{"other words", at(3, refusing(scope, "no!")), []Touched{{scope, 0}}},
		{"it is asked again", at(3, trying(scope)), []Touched{{scope, 0}}},
		{"it accepts", at(3, nil), []Touched{{scope, 0}}},
		{"it is tried", at(4, trying(cluster)), []Touched{{cluster, 0}}},
		{"it is gone", xds.StreamState{Closed: true, Exceptions: trying(cluster)}, []Touched{{cluster, 0}}},
	} {
		got := table.Observe(map[uint64]xds.StreamState{1: step.state}, start)
		if len(got) != len(step.want) || len(got) > 0 && got[0] != step.want[0] {
			t.Errorf("%s: touched is %v, want %v", step.what, got, step.want)
		}
	}
	if table.Exceptions() || table.Serving() != 0 || table.Idle() != 0 || len(table.holders) != 0 {
		t.Errorf("something is left: %+v", table)
	}
}

// A client that does not serve is named at once if it refuses its listener, else after
// the grace.
func TestWhy(t *testing.T) {
	table := New(xds.ScopedRoute, zap.NewNop())
	expect := func(when, why string) {
		t.Helper()
		if got := table.Why(); got != why {
			t.Errorf("%s: %q, want %q", when, got, why)
		}
	}
	table.Observe(map[uint64]xds.StreamState{2: at(0, nil)}, start)
	table.NameIdle(start.Add(Grace))
	expect("in the grace", "")
	table.NameIdle(start.Add(Grace + 1))
	expect("after the grace", "a proxy does not acknowledge its listener")
	table.Observe(map[uint64]xds.StreamState{1: at(1, refusing(xds.ResourceName{Type: xds.Listener, Name: "http"}, "taken"))}, start)
	expect("a refusal", "a proxy refuses its listener, and is asked again; Envoy says: taken")
	table.Observe(map[uint64]xds.StreamState{1: at(1, nil)}, start)
	expect("the other", "a proxy does not acknowledge its listener")
	table.Observe(map[uint64]xds.StreamState{2: {Closed: true}}, start)
	expect("nobody is idle", "")
}
