package statuswriter

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// figures are what a status writer shows of itself: the writer puts, whoever asks
// reads.
type figures struct {
	leads   atomic.Bool
	waiting atomic.Int64 // statuses that are to be written
	slowed  atomic.Int64 // of these, the ones that wait for the time of another attempt
	oldest  atomic.Int64 // since when the first of them waits, in Unix nanoseconds; 0: none does
}

// Metrics are what to register with a prometheus.Registerer.
func (w *Writer) Metrics() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "staticsite_" + name, Help: help}, value)
	}
	return []prometheus.Collector{
		w.ledger.phases.Metrics(),
		gauge("leader", "1 if this replica writes statuses, else 0.", w.figures.leader),
		gauge("statuses_waiting", "Statuses that differ from what they should be and wait to be written by this replica.",
			func() float64 { return float64(w.figures.waiting.Load()) }),
		gauge("statuses_slowed", "Of staticsite_statuses_waiting those whose writes were refused, had no effect or were undone by others, and are tried again more and more slowly.",
			func() float64 { return float64(w.figures.slowed.Load()) }),
		gauge("status_lag_seconds", "How long the oldest status has waited to be written by this replica.", w.figures.lag),
	}
}

func (f *figures) leader() float64 {
	if f.leads.Load() {
		return 1
	}
	return 0
}

func (f *figures) lag() float64 {
	oldest := f.oldest.Load()
	if oldest == 0 {
		return 0
	}
	return max(0, time.Since(time.Unix(0, oldest)).Seconds())
}

// show puts what is known now. Who does not lead has nothing to write.
func (w *Writer) show() {
	w.figures.leads.Store(w.term != nil)
	waiting, oldest := len(w.ledger.lag.since), w.ledger.lag.oldest()
	if w.term == nil || oldest.IsZero() {
		w.figures.waiting.Store(0)
		w.figures.slowed.Store(0)
		w.figures.oldest.Store(0)
		return
	}
	w.figures.waiting.Store(int64(waiting))
	w.figures.slowed.Store(int64(len(w.ledger.waiting)))
	w.figures.oldest.Store(oldest.UnixNano())
}
