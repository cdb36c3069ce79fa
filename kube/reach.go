package kube

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"
)

// NoteOutages logs once when the API server cannot be reached by what is made of
// config, and once when it answers again. It looks at each attempt: client-go
// tries again by itself, for minutes where connections time out, and in the end
// calls a watch that was never there one that has ended well.
func NoteOutages(config *rest.Config, log *zap.Logger) {
	o := &outage{
		log:   log,
		lost:  "cannot reach the API server, serving what is known",
		never: "cannot reach the API server, and nothing is served before it answers",
		known: new(atomic.Bool),
		back:  "API server reached again",
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &reach{next, o} })
}

// reach is the way to the API server.
type reach struct {
	next   http.RoundTripper
	outage *outage
}

func (r *reach) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err == nil {
		r.outage.known.Store(true)
	}
	if !errors.Is(err, context.Canceled) { // our own doing says nothing; a deadline that passed does
		r.outage.note(context.Background(), err)
	}
	return response, err
}

// WrappedRoundTripper is how client-go finds the transport inside.
func (r *reach) WrappedRoundTripper() http.RoundTripper { return r.next }
