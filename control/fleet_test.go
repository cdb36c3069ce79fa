package control

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// programmedAt is where Programmed stands in sitestatus.Status.Conditions.
const programmedAt = 2

// newFleet returns a world that is to speak for itself and others, and these, all
// with one site.
func newFleet(t *testing.T, others ...string) (leader *world, followers map[string]*follower) {
	leader, followers = newWorld(t), make(map[string]*follower)
	leader.Follow("v1")
	leader.put(service(), newSite("a", "a.example.com"))
	leader.join.lead(append([]string{"self"}, others...), leader.now)
	leader.join.hear(holdings.Report{Replica: "self", State: holdings.Self}, leader.now)
	for _, name := range others {
		f := &follower{world: newWorld(t), leader: leader, name: name, build: "v1"}
		f.Follow("v1")
		f.put(service(), newSite("a", "a.example.com"))
		followers[name] = f
	}
	return leader, followers
}

// A follower is another replica, without the wire between the two.
type follower struct {
	*world
	leader *world
	name   string
	build  string
	view   *holdings.View
	said   holdings.Proxies // to the leader
}

// report tells the leader what is new.
func (f *follower) report() {
	reset := f.view == nil
	if reset {
		f.view = holdings.NewView(nil)
		f.join.show(f.view)
	}
	var sites map[holdings.SiteVersion]holdings.Holding
	sites, f.said = f.view.Take()
	f.leader.join.hear(holdings.Report{Replica: f.name, State: holdings.Heard, Build: f.build, Proxies: f.said.Serving, Why: f.said.Why, Reset: reset, Sites: sites}, f.leader.now)
}

// lose ends the connection.
func (f *follower) lose(state holdings.ReplicaState) {
	delete(f.join.views, f.view)
	f.view = nil
	f.leader.join.hear(holdings.Report{Replica: f.name, State: state}, f.leader.now)
}

func (w *world) gone(id uint64) {
	w.join.observe(map[uint64]xds.StreamState{id: {ID: id, Closed: true}}, w.now)
}

func TestProgrammedMeansTheProxiesOfAllReplicas(t *testing.T) {
	w, others := newFleet(t, "b")
	b := others["b"]
	w.proxy(1, nil)
	b.acknowledge(1, 1, nil)
	b.acknowledge(2, 1, nil)
	b.report()
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "acknowledged by 1 of 3 serving proxies")
	b.proxy(1, nil)
	b.progress()
	b.report()
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "acknowledged by 2 of 3 serving proxies")
	b.proxy(2, nil)
	b.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "acknowledged by every serving proxy")
	if s, _ := w.status("a"); s.Proxies != 3 || s.Standing != nil {
		t.Errorf("status is %+v", s)
	}

	// The next generation: our own proxy has it, the other replica has not even
	// heard of it.
	next := newSite("a", "a.example.com")
	next.Generation, next.Port = 2, 81
	w.put(next)
	w.proxy(1, nil)
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "1 of 3 serving proxies; replica b does not know of this generation yet")
	b.put(next)
	b.proxy(1, nil)
	b.proxy(2, nil)
	b.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	if s, _ := w.status("a"); s.Generation != 2 {
		t.Errorf("the status is about generation %d", s.Generation)
	}
}

// A generation that changes no resource is another version all the same.
func TestAGenerationOfEqualContentIsAcknowledgedAsOne(t *testing.T) {
	w, others := newFleet(t, "b")
	b := others["b"]
	w.proxy(1, nil)
	b.proxy(1, nil)
	b.report()
	w.status("a")
	next := newSite("a", "A.example.com")
	next.Generation = 2
	w.put(next)
	if s, fresh := w.status("a"); fresh {
		t.Errorf("said before the other replica knows of it: %+v", s)
	}
	b.put(next)
	b.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	if s, _ := w.status("a"); s.Generation != 2 {
		t.Errorf("the status is about generation %d", s.Generation)
	}
}

func TestASilentReplicaLeavesTrueAndHoldsUpNew(t *testing.T) {
	w, others := newFleet(t, "b")
	b := others["b"]
	w.proxy(1, nil)
	b.proxy(1, nil)
	b.report()
	w.status("a")
	b.lose(holdings.Silent)
	w.put(newSite("new", "new.example.com"))
	w.proxy(1, nil)
	w.progress()
	if s, fresh := w.status("a"); fresh {
		t.Errorf("what is True does not stay: %+v", s)
	}
	w.expect("new", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "1 of 1 serving proxies; replica b cannot be reached, so what its proxies hold is not known")
	b.put(newSite("new", "new.example.com"))
	b.proxy(1, nil)
	b.report()
	w.expect("new", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestAReplicaThatIsGoneHoldsUpNobody(t *testing.T) {
	for name, end := range map[string]func(w *world, b *follower){
		"nothing listens":   func(_ *world, b *follower) { b.lose(holdings.Vacant) },
		"the endpoint went": func(w *world, b *follower) { w.join.lead([]string{"self"}, w.now) },
		"no proxy is left":  func(_ *world, b *follower) { b.gone(1); b.report() },
	} {
		w, others := newFleet(t, "b")
		w.proxy(1, nil)
		others["b"].acknowledge(1, 1, nil)
		others["b"].report()
		w.progress()
		w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "1 of 2")
		end(w, others["b"])
		w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// The usual case: the node of the old leader is gone, and still among the
// endpoints. What the old leader wrote stands until the others are heard.
func TestANewLeaderLeavesWhatItHasNoNewsOf(t *testing.T) {
	w := newWorld(t)
	w.Follow("v1")
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, nil)
	check := func(when string, standing bool) {
		t.Helper()
		s, _ := w.status("a")
		if s.Conditions[programmedAt].Status != unknown || (s.Standing != nil) != standing {
			t.Fatalf("%s: %+v", when, s)
		}
		if standing && (s.Standing.Conditions[programmedAt].Status != isTrue || s.Standing.Phase != "Provisioned") {
			t.Errorf("%s: what stands is %+v", when, s.Standing)
		}
	}
	check("as follower", true)
	w.join.lead([]string{"self", "old"}, w.now)
	w.join.progress(w.now.Add(time.Hour))
	w.join.progress(w.now.Add(time.Hour))
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "this replica is not among the endpoints of its own Service")
	check("before it finds itself", true)
	w.join.hear(holdings.Report{Replica: "self", State: holdings.Self}, w.now)
	w.join.progress(w.now.Add(2 * time.Hour))
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "replica old cannot be reached")
	check("while the old one is silent", true)

	// A change under its own eyes is news: what was True of the content before is
	// not True of this one.
	w.apply(map[object.Ref]object.Object{newSite("a", "").Ref(): nil})
	w.put(newSite("a", "other.example.com"))
	w.proxy(1, nil)
	w.join.lead([]string{"self"}, w.now)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	w.join.lead([]string{"self", "new"}, w.now)
	changed := newSite("a", "third.example.com")
	w.put(changed)
	w.proxy(1, nil)
	w.progress()
	check("after a change", false)

	w.join.follow()
	check("as follower again", true)
}

func TestRefusalAtAnotherReplica(t *testing.T) {
	w, others := newFleet(t, "b", "c")
	b, c := others["b"], others["c"]
	w.proxy(1, nil)
	b.proxy(1, nil)
	b.report()
	c.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	scope := xds.ResourceName{Type: xds.ScopedRoute, Name: "a.example.com"}
	b.proxy(2, map[xds.ResourceName]xds.Exception{scope: {Refused: true, Reason: "missing ]: ["}})
	b.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected,
		"refused by 1 of 3 serving proxies, which keep what they had; Envoy says: missing ]: [")
	b.proxy(2, map[xds.ResourceName]xds.Exception{scope: {}}) // it is asked again
	b.report()
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "")
	b.proxy(2, nil)
	b.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestARefusalEndsWithTheReplica(t *testing.T) {
	w, others := newFleet(t, "b")
	b := others["b"]
	w.proxy(1, nil)
	b.proxy(1, map[xds.ResourceName]xds.Exception{{Type: xds.ScopedRoute, Name: "a.example.com"}: {Refused: true, Reason: "no"}})
	b.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "")
	b.lose(holdings.Silent)
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "refused by 1 of 1")
	w.join.lead([]string{"self"}, w.now)
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestNoProxiesMeansNoneAnywhere(t *testing.T) {
	w, others := newFleet(t, "b")
	b := others["b"]
	b.proxy(1, nil)
	b.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	w.join.progress(w.now.Add(time.Hour))
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	b.gone(1)
	b.report()
	w.join.progress(w.now.Add(proxiesGrace))
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	w.join.progress(w.now.Add(proxiesGrace + time.Second))
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonNoProxies, "no serving proxy is connected")
	b.proxy(2, nil)
	b.report()
	w.expect("a", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
}

func TestAnotherBuildIsWaitedFor(t *testing.T) {
	w, others := newFleet(t, "b")
	b := others["b"]
	b.build = "v2"
	w.proxy(1, nil)
	next := newSite("a", "a.example.com")
	next.Generation = 2
	w.put(next) // what b makes of it is never equal
	w.proxy(1, nil)
	b.proxy(1, nil)
	b.report()
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "replica b is of another version of the control plane, and is waited for until all are of one")
}

// The restart of the only replica is no news either, until proxies have had the
// time to connect again.
func TestARestartLeavesWhatItHasNoNewsOf(t *testing.T) {
	w := newWorld(t)
	w.put(service(), newSite("a", "a.example.com"))
	w.progress()
	if s, _ := w.status("a"); s.Standing == nil {
		t.Errorf("it would be rewritten: %+v", s)
	}
	w.join.progress(w.now.Add(proxiesGrace + time.Second))
	if s, fresh := w.status("a"); !fresh || s.Standing != nil || s.Conditions[programmedAt].Reason != v1alpha1.ReasonNoProxies {
		t.Errorf("it is not said: %+v", s)
	}
}

// What a report costs must not depend on the sites that it does not name.
func TestAReportTouchesOnlyItsSites(t *testing.T) {
	w, others := newFleet(t, "b")
	b := others["b"]
	objects := []object.Object{service()}
	for i := range 500 {
		objects = append(objects, newSite(fmt.Sprint("s", i), fmt.Sprintf("s%d.example.com", i)))
	}
	w.put(objects...)
	b.put(objects...)
	w.proxy(1, nil)
	b.proxy(1, nil)
	b.report()
	if taken := w.Statuses().Take(); len(taken) != 501 {
		t.Fatalf("%d statuses of 501 sites", len(taken))
	}
	moved := newSite("s7", "moved.example.com")
	moved.Generation = 2
	b.put(moved)
	b.proxy(1, nil)
	sites, proxies := b.view.Take()
	if len(sites) != 2 || proxies.Serving != 1 { // what it was, what it is
		t.Errorf("%d entries for one site that changed, %d proxies", len(sites), proxies.Serving)
	}
	b.progress()
	b.proxy(1, nil)
	if sites, _ := b.view.Take(); len(sites) != 0 {
		t.Errorf("%d entries although nothing changed", len(sites))
	}
}

// What waits for a proxy that stands still is no news each time that another
// proxy answers.
func TestWhatStandsStillIsReportedOnce(t *testing.T) {
	_, others := newFleet(t, "b")
	b := others["b"]
	b.acknowledge(1, 1, nil)
	b.proxy(2, nil)
	b.report()
	b.progress()
	b.report()
	b.put(newSite("new", "new.example.com"))
	b.proxy(2, nil)
	b.progress()
	sites, _ := b.view.Take()
	if len(sites) != 1 {
		t.Errorf("%d entries for one site that is new", len(sites))
	}
	for _, h := range sites {
		if h.Acknowledged != 1 {
			t.Errorf("it is said to be %+v", h)
		}
	}
}

func TestNothingIsKeptForNobody(t *testing.T) {
	w, others := newFleet(t, "b")
	others["b"].proxy(1, nil)
	others["b"].report()
	w.proxy(1, nil)
	w.join.follow()
	if w.join.fleet.Serving() > 0 || w.join.versions != nil || len(w.join.open) > 0 {
		t.Errorf("a follower knows of %d proxies, and keeps %d versions, %d open sites", w.join.fleet.Serving(), len(w.join.versions), len(w.join.open))
	}
}

// In layout single a refusal is about the sites that changed since the refusing
// proxy acknowledged the table last.
func TestARefusedTableIsAboutWhatChanged(t *testing.T) {
	w := worldOf(t, translate.Options{Routes: translate.RoutesSingle})
	table := xds.ResourceName{Type: xds.Route, Name: "dynamic_routes"}
	refused := map[xds.ResourceName]xds.Exception{table: {Version: "1", Refused: true, Reason: "missing ]: ["}}
	asked := map[xds.ResourceName]xds.Exception{table: {}}
	w.proxy(1, nil)
	w.put(service(), newSite("good", "good.example.com"))
	w.proxy(1, nil)
	w.expect("good", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	w.put(newSite("bad", "bad.example.com"), newSite("beside", "beside.example.com"))
	w.proxy(1, refused)
	for _, name := range []string{"bad", "beside"} {
		w.expect(name, v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "missing ]")
	}
	w.expect("good", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")

	// Another site changes, and with it the table. Until it is answered, nobody
	// knows; what was refused stays so.
	before := w.store.Latest().Seq()
	w.put(newSite("later", "later.example.com"))
	w.acknowledge(1, before, asked)
	w.progress()
	w.expect("later", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "0 of 1")
	w.expect("bad", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "")
	w.proxy(1, refused)
	w.expect("later", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "")
	w.expect("good", v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")

	mended := newSite("bad", "bad.example.com")
	mended.Generation, mended.Port = 2, 81
	w.put(mended)
	w.acknowledge(1, before, asked)
	w.proxy(1, nil)
	for _, name := range []string{"good", "bad", "beside", "later"} {
		w.expect(name, v1alpha1.ConditionProgrammed, isTrue, v1alpha1.ReasonProgrammed, "")
	}
}

// A refusal of what a site was is not one of what it is.
func TestAMendedSiteIsNotRefusedBeforeItIsAnswered(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, map[xds.ResourceName]xds.Exception{{Type: xds.ScopedRoute, Name: "a.example.com"}: {Refused: true, Reason: "no"}})
	w.expect("a", v1alpha1.ConditionProgrammed, isFalse, v1alpha1.ReasonRejected, "")
	mended := newSite("a", "a.example.com")
	mended.Generation, mended.Port = 2, 81
	w.put(mended)
	if s, fresh := w.status("a"); fresh {
		t.Errorf("said of generation 2: %+v", s)
	}
	w.progress()
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "0 of 1")
}

// TestFleetGames plays random histories of three replicas. Whenever the leader says
// True for the first time of a generation, every proxy that it could know of has
// acknowledged it; and when all is quiet, it says True of everything.
func TestFleetGames(t *testing.T) {
	for seed := range uint64(300) {
		playFleet(t, rand.New(rand.NewPCG(seed, 1)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func playFleet(t *testing.T, rng *rand.Rand) {
	leader, followers := newFleet(t, "b", "c")
	worlds := []*world{leader, followers["b"].world, followers["c"].world}
	newest := map[string]*object.Site{"a": newSite("a", "a.example.com")}
	said := make(map[string]int64)               // the generation of which True was said last
	connected := []map[uint64]uint64{{}, {}, {}} // what each proxy has acknowledged
	check := func() {
		for _, w := range worlds {
			w.invariants()
		}
		for key, status := range leader.Statuses().Take() {
			if status.Gone || status.Conditions[programmedAt].Status != isTrue || said[key.Name] == status.Generation {
				continue
			}
			said[key.Name] = status.Generation
			for i, w := range worlds {
				if i > 0 && followers[[]string{"b", "c"}[i-1]].said.Serving == 0 {
					continue // what has connected there is not known yet
				}
				s := w.join.sites.Get(key)
				if s != nil && s.generation > status.Generation {
					continue // it was served there before the leader heard of what is newer
				}
				for id, acked := range connected[i] {
					if acked > 0 && (s == nil || s.generation < status.Generation || acked < s.seq) {
						t.Errorf("True is said of generation %d of %s, and proxy %d of replica %d has not got it", status.Generation, key, id, i)
					}
				}
			}
		}
	}
	acknowledge := func(i int, id uint64) {
		w := worlds[i]
		_, had := connected[i][id]
		if connected[i][id] = 0; had { // A fresh one holds up nobody until it has acknowledged something.
			connected[i][id] = w.store.Latest().Seq()
		}
		state := xds.StreamState{ID: id}
		for _, typ := range []xds.Type{xds.Cluster, xds.Listener, xds.ScopedRoute} {
			state.Types[typ] = xds.TypeState{Active: true, Acked: connected[i][id]}
		}
		w.join.observe(map[uint64]xds.StreamState{id: state}, w.now)
	}
	report := func(name string) { followers[name].report() }
	names := []string{"a", "x", "y"}
	for range 60 {
		i := rng.IntN(3)
		name := []string{"b", "c"}[rng.IntN(2)]
		switch rng.IntN(8) {
		case 0:
			site := newSite(names[rng.IntN(3)], "")
			site.Domain, site.Port = site.Name+".example.com", 80+rng.Int32N(2)
			if old := newest[site.Name]; old != nil {
				site.Generation = old.Generation + 1
			}
			newest[site.Name] = site
		case 1, 2: // a replica hears of the newest of a site
			if site := newest[names[rng.IntN(3)]]; site != nil {
				worlds[i].put(site)
			}
		case 3, 4:
			acknowledge(i, rng.Uint64N(2))
		case 5:
			report(name)
		case 6:
			if id := rng.Uint64N(2); rng.IntN(4) == 0 {
				if _, had := connected[i][id]; had {
					delete(connected[i], id)
					worlds[i].gone(id)
				}
			}
		case 7:
			if rng.IntN(4) == 0 && followers[name].view != nil {
				followers[name].lose(holdings.Silent)
			}
		}
		leader.progress()
		check()
	}
	acknowledge(0, 0)
	for i, w := range worlds {
		for _, site := range newest {
			w.put(site)
		}
		for id := range connected[i] {
			acknowledge(i, id)
		}
	}
	report("b")
	report("c")
	leader.progress()
	check()
	for name, site := range newest {
		if said[name] != site.Generation {
			t.Errorf("of %s True was said of generation %d, and it is at %d", name, said[name], site.Generation)
		}
	}
}
