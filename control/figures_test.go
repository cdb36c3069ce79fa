package control

import (
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/xds"
)

// measured returns how many acknowledgements were measured, and their sum.
func (w *world) measured() (n uint64, sum time.Duration) {
	w.t.Helper()
	var m dto.Metric
	if err := w.join.acknowledged.Write(&m); err != nil {
		w.t.Fatal(err)
	}
	return m.Histogram.GetSampleCount(), time.Duration(m.Histogram.GetSampleSum() * float64(time.Second)).Round(time.Millisecond)
}

func TestTimeToTheLastAcknowledgementIsMeasured(t *testing.T) {
	w := newWorld(t)
	expect := func(when string, n uint64, sum time.Duration) {
		t.Helper()
		if gotN, gotSum := w.measured(); gotN != n || gotSum != sum {
			t.Errorf("%s: %d measured, %v in all; want %d, %v", when, gotN, gotSum, n, sum)
		}
	}
	later := func(d time.Duration) { w.now = w.now.Add(d) }
	second := func(name string) *object.Site {
		s := newSite(name, name+"2.example.com")
		s.Generation = 2
		return s
	}

	w.put(service(), newSite("a", "a.example.com"), newSite("b", "b.example.com"))
	later(time.Hour)
	w.proxy(1, nil)
	w.proxy(2, nil)
	expect("what was there before any proxy", 0, 0)

	w.put(second("a"))
	later(time.Second)
	w.proxy(1, nil)
	expect("one of two", 0, 0)
	later(time.Second)
	w.proxy(2, nil)
	expect("both", 1, 2*time.Second)

	w.put(newSite("invalid", "*.example.com"))
	w.proxy(1, nil)
	w.proxy(2, nil)
	expect("nothing to acknowledge", 1, 2*time.Second)

	w.put(second("b"))
	later(time.Second)
	w.put(newSite("c", "c.example.com")) // what a proxy acknowledges next is both
	later(time.Second)
	w.proxy(1, nil)
	w.proxy(2, map[xds.ResourceName]xds.Exception{{Type: xds.ScopedRoute, Name: "c.example.com"}: {Refused: true, Reason: "no"}})
	expect("one of them refused", 2, 4*time.Second)

	w.apply(map[object.Ref]object.Object{second("a").Ref(): nil})
	later(time.Second)
	w.proxy(1, nil)
	w.proxy(2, nil)
	expect("a deletion", 3, 5*time.Second)

	w.put(newSite("d", "d.example.com"))
	for id := range uint64(2) {
		w.join.observe(map[uint64]xds.StreamState{id + 1: {ID: id + 1, Closed: true}}, w.now)
	}
	later(time.Hour)
	w.proxy(3, nil)
	expect("nobody was connected", 3, 5*time.Second)
}

// A site that goes back to what is served, after something that was withheld, is
// published again and changes nothing: there is nothing to acknowledge.
func TestWhatIsServedAlreadyIsNotMeasured(t *testing.T) {
	w := newWorld(t)
	verdicts, _, changed, _ := w.translate(map[object.Ref]object.Object{
		service().Ref(): service(), newSite("a", "").Ref(): newSite("a", "a.example.com"),
	})
	w.join.judge(verdicts, changed, nil, w.store.Publish(changed), w.now)
	w.proxy(1, nil)
	w.join.judge(verdicts, changed, nil, w.store.Publish(changed), w.now.Add(time.Second))
	w.expect("a", "Programmed", "True", "Programmed", "")
	if n, sum := w.measured(); n != 0 {
		t.Errorf("%d measured, %v in all", n, sum)
	}
}
