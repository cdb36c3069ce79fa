package lease

import (
	"context"
	"time"
)

// Term is a time in which this replica alone writes statuses.
type Term struct {
	Context context.Context  // ends with the term
	Expiry  func() time.Time // until when certainly nobody else leads; moves on while the term lasts
	Over    func()           // called by the writer when it has stopped: nothing is under way any more
}

// Always returns a term without election, which ends with ctx.
func Always(ctx context.Context) <-chan Term {
	terms := make(chan Term, 1)
	terms <- Term{
		Context: ctx,
		Expiry:  func() time.Time { return time.Now().Add(time.Hour) },
		Over:    func() {},
	}
	return terms
}

// Deadline is when a write must have ended that starts now; ok is false if none
// may start. Time passes for a process that is stopped, too: one that wakes up
// after its term finds the deadline gone by, whether or not it has been told.
func (t Term) Deadline(now time.Time, most time.Duration) (end time.Time, ok bool) {
	expiry := t.Expiry()
	if t.Context.Err() != nil || !now.Before(expiry) {
		return time.Time{}, false
	}
	end = now.Add(most)
	if expiry.Before(end) {
		end = expiry
	}
	return end, true
}
