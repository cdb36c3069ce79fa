package statuswriter

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"my-company.com/staticsite-operator/kube/lease"
	"my-company.com/staticsite-operator/object"
)

// Against the plain way: look at all that wait.
func TestOldestIsTheOldestThatWaits(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	l := lag{since: make(map[object.Key]time.Time)}
	plain := make(map[object.Key]time.Time)
	for step := range 20000 {
		at, site := now.Add(time.Duration(step/3)*time.Second), key(fmt.Sprint(random.Intn(40)))
		if random.Intn(2) == 0 {
			l.begin(site, at)
			if _, waits := plain[site]; !waits {
				plain[site] = at
			}
		} else {
			l.end(site)
			delete(plain, site)
		}
		var want time.Time
		for _, since := range plain {
			if want.IsZero() || since.Before(want) {
				want = since
			}
		}
		if got := l.oldest(); !got.Equal(want) {
			t.Fatalf("step %d: %v, want %v", step, got, want)
		}
		if len(l.order) > 200 {
			t.Fatalf("%d entries for %d sites", len(l.order), len(plain))
		}
	}
}

func TestLagIsThatOfTheLeader(t *testing.T) {
	w := &Writer{ledger: newLedger()}
	expect := func(when string, leader float64, waiting int64, waits bool) {
		t.Helper()
		w.show()
		if w.figures.leader() != leader || w.figures.waiting.Load() != waiting || (w.figures.lag() > 0) != waits {
			t.Errorf("%s: leader %v, %d wait, for %v s", when, w.figures.leader(), w.figures.waiting.Load(), w.figures.lag())
		}
	}
	w.ledger.now = now
	w.ledger.see(key("a"), nothing("1"))
	w.ledger.see(key("b"), nothing("1"))
	w.ledger.demand(served("a", 1))
	w.ledger.demand(served("b", 1))
	expect("without a term", 0, 0, false)
	w.term = &lease.Term{}
	expect("in its term", 1, 2, true)
	if age := time.Since(now).Seconds(); age-w.figures.lag() > 10 {
		t.Errorf("the oldest waits for %v s, want %v", w.figures.lag(), age)
	}
	for _, version := range []string{"2", "3"} {
		next, _ := w.ledger.next()
		w.ledger.written(next, has(version, served(next.site.Name, 1)))
	}
	expect("when all are written", 1, 0, false)
}
