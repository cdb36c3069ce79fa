package statuswriter

import (
	"context"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/dynamic"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/kube/lease"
	"my-company.com/staticsite-operator/kube/observed"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
)

const (
	// writers bounds the writes under way, and with them the load on the API
	// server: it, not a rate guessed here, sets the pace.
	writers = 8

	// writeTimeout is for one write to an API server that does not answer.
	writeTimeout = 10 * time.Second

	// renewalPause is how long to wait when the lease is past its time: the term
	// will end, or the lease be renewed.
	renewalPause = time.Second / 4
)

// How long to wait after failures, at first and at most.
const (
	conflictLeast, conflictMost = time.Second, time.Minute          // or until the object's newest version comes
	refusalLeast, refusalMost   = 5 * time.Second, 5 * time.Minute  // one site's status, or until its object changes
	outageLeast, outageMost     = time.Second / 4, 10 * time.Second // the API server: all writes
)

// Writer writes the statuses of sites, in its terms of leadership only.
// A status is written when it differs from what the object has, whatever made it
// differ; of several for one site only the latest counts. So whatever others write,
// the object comes to say what is so; who writes against it again and again is
// answered more and more slowly.
type Writer struct {
	sites    dynamic.NamespaceableResourceInterface
	log      *zap.Logger
	wanted   *latest.Map[object.Key, sitestatus.Status]
	seen     *latest.Map[object.Key, *observed.Status]
	results  chan result
	recorded chan struct{} // the Event that was being written is, or cannot be

	// The rest is Run's.
	ledger    *ledger
	recorder  *recorder
	term      *lease.Term
	underWay  int
	recording bool
	figures   figures
	outages   int       // in a row
	resume    time.Time // when to go on after an outage
	alarm     *time.Timer
}

// New returns a writer of the statuses in wanted, where seen are those that the
// API server has (see source.Source). It needs the rights to patch
// staticsites/status, and to create and patch Events.
func New(client dynamic.Interface, seen *latest.Map[object.Key, *observed.Status], wanted *latest.Map[object.Key, sitestatus.Status], log *zap.Logger) *Writer {
	return &Writer{
		sites:    client.Resource(v1alpha1.Resource),
		log:      log,
		wanted:   wanted,
		seen:     seen,
		results:  make(chan result, writers),
		recorded: make(chan struct{}, 1),
		ledger:   newLedger(),
		recorder: newRecorder(client, log),
	}
}

// Run writes whenever it has a term, until ctx ends and the writes under way
// have. Outside a term it only takes note.
func (w *Writer) Run(ctx context.Context, terms <-chan lease.Term) error {
	w.alarm = time.NewTimer(time.Hour)
	defer w.alarm.Stop()
	for {
		w.ledger.now = time.Now()
		w.dispatch(w.ledger.now)
		w.show()
		select {
		case <-ctx.Done():
			w.finish()
			return nil
		case <-w.wanted.Ready():
			w.ledger.now = time.Now()
			for _, status := range w.wanted.Take() {
				w.ledger.demand(status)
			}
		case <-w.seen.Ready():
			w.ledger.now = time.Now()
			for site, seen := range w.seen.Take() {
				w.ledger.see(site, seen)
			}
		case term := <-terms:
			w.term = &term
		case <-w.termEnded():
			w.finish()
		case r := <-w.results:
			w.take(r, time.Now())
		case <-w.recorded:
			w.recording = false
		case <-w.alarm.C:
		}
	}
}

func (w *Writer) termEnded() <-chan struct{} {
	if w.term == nil {
		return nil
	}
	return w.term.Context.Done()
}

// finish ends the term when the last write under way has ended.
func (w *Writer) finish() {
	if w.term == nil {
		return
	}
	for w.underWay > 0 {
		w.take(<-w.results, time.Now())
	}
	if w.recording {
		<-w.recorded
		w.recording = false
	}
	w.recorder.forget()
	w.term.Over()
	w.term = nil
}

// dispatch starts as many writes as may be under way.
func (w *Writer) dispatch(now time.Time) {
	if w.term == nil {
		return
	}
	if now.Before(w.resume) {
		w.alarm.Reset(w.resume.Sub(now))
		return
	}
	if at, ok := w.ledger.wake(now); ok {
		w.alarm.Reset(at.Sub(now))
	}
	for w.underWay < writers {
		next, ok := w.ledger.next()
		if !ok {
			w.record(now)
			return
		}
		end, ok := w.term.Deadline(now, writeTimeout)
		if !ok {
			w.ledger.postponed(next)
			w.alarm.Reset(renewalPause)
			return
		}
		w.underWay++
		ctx, cancel := context.WithDeadline(w.term.Context, end)
		go func() {
			defer cancel()
			w.results <- w.apply(ctx, next)
		}()
	}
}

// record writes an Event if no status is to be written, nor being written: Events
// come after all that they are about, and delay none of it.
func (w *Writer) record(now time.Time) {
	if w.recording || w.underWay > 0 {
		return
	}
	end, ok := w.term.Deadline(now, writeTimeout)
	if !ok {
		return
	}
	do, ok := w.recorder.next(now)
	if !ok {
		return
	}
	w.recording = true
	ctx, cancel := context.WithDeadline(w.term.Context, end)
	go func() {
		defer cancel()
		do(ctx)
		w.recorded <- struct{}{}
	}()
}

// take notes how a write ended.
func (w *Writer) take(r result, now time.Time) {
	w.underWay--
	w.ledger.now = now
	switch r.outcome {
	case written:
		w.ledger.written(r.write, r.seen)
		if r.seen.Equal(r.write.want) {
			w.recorder.add(transitions(r.write))
		}
		w.complain(r)
	case vanished:
		w.ledger.vanished(r.write)
	case conflict:
		w.ledger.failed(r.write, now, conflictLeast, conflictMost)
	case rejected:
		w.log.Warn("status refused by the API server", zap.Stringer("site", r.write.site), zap.Error(r.err))
		w.ledger.failed(r.write, now, refusalLeast, refusalMost)
	case interrupted:
		w.ledger.postponed(r.write)
		return // which says nothing about the API server
	case unavailable:
		w.ledger.postponed(r.write)
		w.pause(r.err, now)
		return
	}
	if w.outages > 0 {
		w.outages = 0
		w.log.Info("statuses are written again")
	}
}

// complain says once why a status is written more slowly from now on.
func (w *Writer) complain(r result) {
	if r.write.attempt != attemptsAtOnce {
		return
	}
	if !r.seen.Equal(r.write.want) {
		w.log.Warn("the API server does not keep a status as it is written, writing it more slowly from now on: is the CustomResourceDefinition of this version installed, or does an admission webhook change it?",
			zap.Stringer("site", r.write.site))
		return
	}
	var managers []string
	if others := r.write.seen.Others; others != nil {
		managers = others.Managers
	}
	w.log.Warn("a status is changed by others again and again, writing it more slowly from now on: only this program's leader may write it",
		zap.Stringer("site", r.write.site), zap.Strings("managers", managers))
}

// pause stops all writes for a while: what one site's write met, the others
// will meet too.
func (w *Writer) pause(err error, now time.Time) {
	if now.Before(w.resume) {
		return // one of several that were under way at once
	}
	if w.outages == 0 {
		w.log.Warn("cannot write statuses, trying again until it works", zap.Error(kube.Remedied(err)))
	}
	w.resume = now.Add(min(outageLeast<<min(w.outages, 16), outageMost))
	w.outages++
}
