package xds

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Admission of new streams. A client that connects is sent everything, 9 MB with
// 10,000 sites, and a control plane that restarts has all of them connect at once.
// So that those in step do not wait behind them, new streams are served a few at a
// time, one after the other; all together that takes no longer.
//
// A stream that waits was not read from yet: of what its client has to say, gRPC
// takes no more than a window (streamWindow).
const (
	// places is how many new streams may be in their first answers. Two keep two
	// cores busy; the others make up for the way to the client and back.
	places = 8

	// placeTime is how long a stream keeps its place at most. A client that is
	// slow, far away or frozen holds up nobody for longer, and a thousand of them
	// are let in within 13 s.
	placeTime = 100 * time.Millisecond
)

// admission is a room with a number of places.
type admission struct {
	places  chan struct{} // as many as are taken; who waits, waits in order
	time    time.Duration
	waiting prometheus.Gauge
}

// enter waits for a place, and returns how to leave it. Once is enough, and after
// some time it is left anyway. It fails when ctx or the service ends before.
func (a *admission) enter(ctx context.Context, drain <-chan struct{}) (leave func(), err error) {
	a.waiting.Inc()
	defer a.waiting.Dec()
	select {
	case a.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-drain:
		return nil, errDraining
	}
	empty := sync.OnceFunc(func() { <-a.places })
	timer := time.AfterFunc(a.time, empty)
	return func() { timer.Stop(); empty() }, nil
}
