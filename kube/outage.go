package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"

	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// outage logs once when something stops to work, and once when it works again,
// whatever the number of attempts between.
type outage struct {
	log        *zap.Logger
	lost, back string // the messages
	down       atomic.Bool

	// Never is said instead of lost until known is set. If known is nil, lost is true
	// from the start.
	never string
	known *atomic.Bool
}

// note takes how one attempt ended.
func (o *outage) note(ctx context.Context, err error) {
	switch {
	case err == nil:
		if o.down.CompareAndSwap(true, false) {
			o.log.Info(o.back)
		}
	case ctx.Err() == nil && o.down.CompareAndSwap(false, true):
		message := o.lost
		if o.known != nil && !o.known.Load() {
			message = o.never
		}
		o.log.Warn(message, zap.Error(remedied(err)))
	}
}

// remedied adds where the remedy is for a right that is missing, which the API
// server names.
func remedied(err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%w (manifests/control-plane/rbac.yaml grants what this program needs)", err)
	}
	return err
}

// newWatchOutage is about a watch of a source that has read everything once known
// is set.
func newWatchOutage(log *zap.Logger, resource schema.GroupVersionResource, known *atomic.Bool) *outage {
	return &outage{
		log:   log.With(zap.String("resource", resource.GroupResource().String())),
		lost:  "cannot watch, serving what is known",
		never: "cannot watch, and nothing is served before that works",
		known: known,
		back:  "watching again",
	}
}

// noteWatch is note for what the API server says to a list or watch; that it says
// nothing is NoteOutages' to tell. To be told that one is too far behind, or to
// list without streaming, is no outage: client-go goes on the other way.
func (o *outage) noteWatch(ctx context.Context, err error) {
	if unreached := (*url.Error)(nil); errors.As(err, &unreached) {
		return
	}
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.IsInvalid(err) {
		err = nil
	}
	if apierrors.IsNotFound(err) {
		err = fmt.Errorf("%w (is the CustomResourceDefinition installed?)", err)
	}
	o.note(ctx, err)
}

// ignoreWatchError is for errors that listWatch noted, or that are how watches
// end.
func ignoreWatchError(context.Context, *cache.Reflector, error) {}
