package source

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

	"my-company.com/staticsite-operator/kube"
)

// newWatchOutage is about a watch of a source that has read everything once known
// is set.
func newWatchOutage(log *zap.Logger, resource schema.GroupVersionResource, known *atomic.Bool) *kube.Outage {
	return &kube.Outage{
		Log:   log.With(zap.String("resource", resource.GroupResource().String())),
		Lost:  "cannot watch, serving what is known",
		Never: "cannot watch, and nothing is served before that works",
		Known: known,
		Back:  "watching again",
	}
}

// noteWatch is Note for what the API server says to a list or watch; that it says
// nothing is kube.NoteOutages' to tell. To be told that one is too far behind, or to
// list without streaming, is no outage: client-go goes on the other way.
func noteWatch(ctx context.Context, o *kube.Outage, err error) {
	if unreached := (*url.Error)(nil); errors.As(err, &unreached) {
		return
	}
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.IsInvalid(err) {
		err = nil
	}
	if apierrors.IsNotFound(err) {
		err = fmt.Errorf("%w (is the CustomResourceDefinition installed?)", err)
	}
	o.Note(ctx, err)
}

// ignoreWatchError is for errors that listWatch noted, or that are how watches
// end.
func ignoreWatchError(context.Context, *cache.Reflector, error) {}
