package kube

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// lasting is how long a watch that says nothing must last to count as one that
// works: the API server ends none before minutes have passed.
const lasting = time.Second

var errEndedAtOnce = errors.New("the watch ended at once: the connection to the API server was reset or timed out")

// heard is a watch whose success is noted by what is heard of it. That it began
// says nothing: client-go answers a connection that was reset, or timed out, with
// a watch that has ended already, and no error.
type heard struct {
	watch.Interface
	events  chan watch.Event
	stop    sync.Once
	stopped chan struct{}
}

// hear passes on a watch, and notes in o how it went. It ends when the watch does,
// or is stopped.
func hear(ctx context.Context, w watch.Interface, o *outage) watch.Interface {
	h := &heard{Interface: w, events: make(chan watch.Event), stopped: make(chan struct{})}
	go h.pass(ctx, o)
	return h
}

func (h *heard) ResultChan() <-chan watch.Event { return h.events }

func (h *heard) Stop() {
	h.stop.Do(func() { close(h.stopped) })
	h.Interface.Stop()
}

func (h *heard) pass(ctx context.Context, o *outage) {
	defer close(h.events)
	silence := time.NewTimer(lasting)
	defer silence.Stop()
	silent := true
	for {
		select {
		case <-h.stopped:
			return
		case <-silence.C:
			silent = false
			o.noteWatch(ctx, nil)
		case event, open := <-h.Interface.ResultChan():
			if !open {
				if silent && !h.isStopped() {
					o.noteWatch(ctx, errEndedAtOnce)
				}
				return
			}
			if silent {
				silent = false
				o.noteWatch(ctx, refusal(event))
			}
			select {
			case h.events <- event:
			case <-h.stopped:
				return
			}
		}
	}
}

// isStopped says whether it was us who ended the watch.
func (h *heard) isStopped() bool {
	select {
	case <-h.stopped:
		return true
	default:
		return false
	}
}

// refusal is the error that an event carries, nil for all other events.
func refusal(event watch.Event) error {
	if event.Type != watch.Error {
		return nil
	}
	return apierrors.FromObject(event.Object)
}
