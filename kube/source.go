package kube

import (
	"context"
	"reflect"
	"sync"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/translate"
)

// watched is what the cluster is asked for, in all namespaces. It needs the
// rights get, list and watch on each.
var watched = [...]struct {
	kind     translate.Kind
	resource schema.GroupVersionResource
	selector string // of labels
}{
	{translate.KindSite, v1alpha1.Resource, ""},
	{translate.KindService, corev1.SchemeGroupVersion.WithResource("services"), ""},
	{translate.KindSlice, discoveryv1.SchemeGroupVersion.WithResource("endpointslices"), discoveryv1.LabelServiceName},
}

// Source hands over the objects of a cluster, and from then on what changes.
type Source struct {
	client dynamic.Interface
	log    *zap.Logger

	// arrived is what the informers' handlers put, which do nothing else. Run
	// passes it on, but nothing before all of it is there (rule 79).
	arrived *latest.Map[translate.Ref, translate.Object]
	changes *latest.Map[translate.Ref, translate.Object]

	// observed is what the API server has as the status of each site, for the
	// status writer; nil for a site that is gone.
	observed *latest.Map[translate.Key, *observation]
}

// NewSource returns a source that has not started.
func NewSource(client dynamic.Interface, log *zap.Logger) *Source {
	return &Source{
		client:   client,
		log:      log,
		arrived:  latest.New[translate.Ref, translate.Object](),
		changes:  latest.New[translate.Ref, translate.Object](),
		observed: latest.New[translate.Key, *observation](),
	}
}

// Changes is where the objects are handed over: first all that exist, in one
// batch and even if there are none, then each that changes in a field that
// translation reads. A nil object is one that is gone.
func (s *Source) Changes() *latest.Map[translate.Ref, translate.Object] { return s.changes }

// Run watches until ctx ends. Losing the API server only delays news. The error
// is about a program that is put together wrongly.
func (s *Source) Run(ctx context.Context) error {
	var informers sync.WaitGroup
	defer informers.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	handled := make([]cache.DoneChecker, len(watched))
	for i, w := range watched {
		k, _ := kindOf(w.kind)
		informer := cache.NewSharedIndexInformer(
			listWatch(s.client, w.resource, w.selector, newWatchOutage(s.log, w.resource)),
			&unstructured.Unstructured{}, 0, cache.Indexers{})
		if err := informer.SetTransform(cutter(k)); err != nil {
			return err
		}
		if err := informer.SetWatchErrorHandlerWithContext(ignoreWatchError); err != nil {
			return err
		}
		registration, err := informer.AddEventHandler(s.handler(w.kind))
		if err != nil {
			return err
		}
		handled[i] = registration.HasSyncedChecker()
		informers.Go(func() { informer.RunWithContext(ctx) })
	}
	if !cache.WaitFor(ctx, "the objects of the cluster", handled...) {
		return nil // ctx ended
	}
	all := s.arrived.Take()
	s.changes.PutAll(all)
	s.log.Info("cluster read", zap.Int("objects", len(all)))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.arrived.Ready():
			if batch := s.arrived.Take(); len(batch) > 0 {
				s.changes.PutAll(batch)
			}
		}
	}
}

func (s *Source) handler(kind translate.Kind) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { s.take(nil, object.(*cut)) },
		UpdateFunc: func(old, object any) { s.take(old.(*cut), object.(*cut)) },
		DeleteFunc: func(object any) { s.drop(kind, object) },
	}
}

// take hands an object over unless nothing in it changed that translation
// reads: most news of a cluster is of that sort, our own status writes above all
// (rule 76).
func (s *Source) take(old, object *cut) {
	ref := object.object.Ref()
	if object.seen != nil {
		s.observed.Put(ref.Key, object.seen)
	}
	if old != nil && reflect.DeepEqual(old.object, object.object) {
		return
	}
	if r, ok := object.object.(*refused); ok { // Rule 77: what was good before goes on.
		s.log.Warn("object refused", zap.String("object", r.err.Object), zap.String("field", r.err.Field), zap.String("error", r.err.Problem))
		return
	}
	s.arrived.Put(ref, object.object)
}

// drop uses nothing but the key of an object: the object of a deletion that was
// noticed late is an old one, or none (rule 75).
func (s *Source) drop(kind translate.Kind, object any) {
	name, err := cache.DeletionHandlingObjectToName(object)
	if err != nil {
		s.log.Error("deletion without a name", zap.Error(err)) // client-go promises that there is none
		return
	}
	key := translate.Key{Namespace: name.Namespace, Name: name.Name}
	if kind == translate.KindSite {
		s.observed.Put(key, nil)
	}
	s.arrived.Put(translate.Ref{Kind: kind, Key: key}, nil)
}
