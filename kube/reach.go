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
	o := &Outage{
		Log:   log,
		Lost:  "cannot reach the API server, serving what is known",
		Never: "cannot reach the API server, and nothing is served before it answers",
		Known: new(atomic.Bool),
		Back:  "API server reached again",
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &reach{next, o} })
}

// reach is the way to the API server.
type reach struct {
	next   http.RoundTripper
	outage *Outage
}

func (r *reach) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err == nil {
		r.outage.Known.Store(true)
	}
	if !errors.Is(err, context.Canceled) { // our own doing says nothing; a deadline that passed does
		r.outage.Note(context.Background(), err)
	}
	return response, err
}

// WrappedRoundTripper is how client-go finds the transport inside.
func (r *reach) WrappedRoundTripper() http.RoundTripper { return r.next }
