package kube

import (
	"context"
	"sync/atomic"

	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

// outage logs once when one resource cannot be listed or watched any more, and
// once when it can again, whatever the number of retries between.
type outage struct {
	log  *zap.Logger
	down atomic.Bool
}

func newOutage(log *zap.Logger, resource schema.GroupVersionResource) *outage {
	return &outage{log: log.With(zap.String("resource", resource.GroupResource().String()))}
}

// note takes the result of one list or watch.
func (o *outage) note(ctx context.Context, err error) {
	switch {
	case err == nil:
		if o.down.CompareAndSwap(true, false) {
			o.log.Info("watching again")
		}
	case ctx.Err() != nil || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.IsInvalid(err):
		// Stopping, or too far behind, or a server that cannot stream lists:
		// client-go lists anew.
	case o.down.CompareAndSwap(false, true):
		o.log.Warn("cannot watch, serving what is known", zap.Error(err))
	}
}

// listWatch asks for all objects of a resource that carry the label, if any.
func listWatch(client dynamic.Interface, resource schema.GroupVersionResource, label string, outage *outage) cache.ListerWatcher {
	objects := client.Resource(resource)
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = label
			list, err := objects.List(ctx, options)
			outage.note(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = label
			w, err := objects.Watch(ctx, options)
			outage.note(ctx, err)
			return w, err
		},
	}, client)
}

// ignoreWatchError is for errors that listWatch noted, or that are how watches
// end.
func ignoreWatchError(context.Context, *cache.Reflector, error) {}
