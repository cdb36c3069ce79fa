package control

import (
	"fmt"
	"testing"

	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// standstill is a leader with sites that one of its proxies holds up; another has
// them all.
func standstill(tb testing.TB, sites int, others ...string) *world {
	w := worldOf(tb, translate.Options{})
	w.Follow("v1")
	w.join.lead(append(others, "self"), w.now)
	w.join.hear(holdings.Report{Replica: "self", State: holdings.Self}, w.now)
	w.proxy(1, nil)
	w.proxy(2, nil)
	objects := []object.Object{service()}
	for i := range sites {
		objects = append(objects, newSite(fmt.Sprint("s", i), fmt.Sprintf("s%d.example.com", i)))
	}
	w.put(objects...)
	w.proxy(1, nil)
	for _, name := range others {
		report := holdings.Report{Replica: name, State: holdings.Heard, Proxies: 1, Reset: true, Build: "v1", Sites: make(map[holdings.SiteVersion]holdings.Holding)}
		for s := range w.join.sites.All() {
			report.Sites[s.version] = holdings.Holding{Settled: true, Acknowledged: 1}
		}
		w.join.hear(report, w.now)
	}
	w.progress()
	if n := len(w.join.open); n != sites {
		tb.Fatalf("%d sites are held up, want %d", n, sites)
	}
	return w
}

// tick is what happens twice a second while the other proxy answers all the time.
func (w *world) tick() {
	w.observe(w.complete(1))
	w.join.progress(w.now)
}

func BenchmarkProgress(b *testing.B) {
	for _, others := range [][]string{nil, {"second", "third"}} {
		b.Run(fmt.Sprint(1+len(others), " replicas"), func(b *testing.B) {
			w := standstill(b, 10_000, others...)
			for b.Loop() {
				w.tick()
			}
		})
	}
}

// Sites that stand still cost no rendering of what was said of them.
func TestProgressRendersWhatHasChanged(t *testing.T) {
	const sites = 1_000
	w := standstill(t, sites, "second")
	if n := testing.AllocsPerRun(10, w.tick); n > sites/10 {
		t.Errorf("%v allocations a tick for %d sites that stand still", n, sites)
	}
	w.Statuses().Take()
	w.join.hear(holdings.Report{Replica: "second", State: holdings.Heard, Proxies: 2}, w.now)
	w.tick()
	if n := len(w.Statuses().Take()); n != sites {
		t.Errorf("%d statuses after a proxy has connected elsewhere, want %d", n, sites)
	}
}

// What was said in between is taken back, although it is as far as it was before.
func TestProgressSaysAgainWhatIsSoAgain(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.proxy(2, nil)
	w.put(service(), newSite("a", "a.example.com"))
	scope := xds.ResourceName{Type: xds.ScopedRoute, Name: "a.example.com"}
	trying := map[xds.ResourceName]xds.Exception{scope: {}}
	w.proxy(1, trying)
	w.progress()
	w.expect("a", "Programmed", unknown, "Pending", "0 of 2")
	w.proxy(1, map[xds.ResourceName]xds.Exception{scope: {Refused: true, Reason: "no"}})
	w.expect("a", "Programmed", isFalse, "Rejected", "1 of 2")
	w.proxy(1, trying)
	w.progress()
	w.expect("a", "Programmed", unknown, "Pending", "0 of 2")
}
