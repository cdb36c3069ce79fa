package source

import (
	"context"
	"reflect"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"my-company.com/staticsite-operator/kube/observed"
	"my-company.com/staticsite-operator/object"

	corev1 "k8s.io/api/core/v1"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/latest"
)

// watchedKind is one kind of object that the cluster is asked for, in all namespaces.
// It needs the rights list and watch.
type watchedKind struct {
	kind     object.Kind
	resource schema.GroupVersionResource
	selector string // of labels
}

// watched is what sites are made of. Nothing is served before all of it is known.
var watched = []watchedKind{
	{object.KindSite, v1alpha1.Resource, ""},
	{object.KindService, corev1.SchemeGroupVersion.WithResource("services"), ""},
	{object.KindSlice, discoveryv1.SchemeGroupVersion.WithResource("endpointslices"), discoveryv1.LabelServiceName},
}

// Source hands over the objects of a cluster, and from then on what changes.
type Source struct {
	client    dynamic.Interface
	discovery rest.Interface // which kinds are installed
	log       *zap.Logger

	policyPoll time.Duration // how often to ask whether policies are installed

	// arrived is what the informers' handlers put, which do nothing else. Run
	// passes it on, but nothing before all of it is there (rule 79).
	arrived *latest.Map[object.Ref, object.Object]
	changes *latest.Map[object.Ref, object.Object]
	read    atomic.Bool // it was all there once
	pasts   *pasts

	// statuses is what the API server has as the status of each site, for the
	// status writer; nil for a site that is gone.
	statuses *latest.Map[object.Key, *observed.Status]

	replicas *replicas // nil: nobody asked
}

// New returns a source that has not started. Discovery is for paths that no
// kind has, such as that of a list of kinds.
func New(client dynamic.Interface, discovery rest.Interface, log *zap.Logger) *Source {
	return &Source{
		client:    client,
		discovery: discovery,
		log:       log,

		policyPoll: policyPoll,

		arrived:  latest.New[object.Ref, object.Object](),
		changes:  latest.New[object.Ref, object.Object](),
		statuses: latest.New[object.Key, *observed.Status](),
		pasts:    newPasts(log),
	}
}

// Changes is where the objects are handed over: first all that exist, in one
// batch and even if there are none, then each that changes in a field that
// translation reads. A nil object is one that is gone.
func (s *Source) Changes() *latest.Map[object.Ref, object.Object] { return s.changes }

// Statuses is where the status that the API server has for each site is handed over,
// for the status writer: nil for a site that is gone.
func (s *Source) Statuses() *latest.Map[object.Key, *observed.Status] { return s.statuses }

// Restored takes a sign that the cluster was restored from a backup: all is listed
// anew. Why is logged.
func (s *Source) Restored(why string, fields ...zap.Field) {
	s.pasts.change(s.pasts.known(), why, fields...)
}

// Run watches until ctx ends. Losing the API server only delays news. The error
// is about a program that is put together wrongly.
func (s *Source) Run(ctx context.Context) error {
	objects, err := s.newInformers(watched, s.arrived)
	if err != nil {
		return err
	}
	policies := newPolicyWatch(s)
	running, ctx := errgroup.WithContext(ctx)
	running.Go(func() error { objects.run(ctx); return nil })
	running.Go(func() error { return policies.run(ctx) })
	if objects.wait(ctx, "the objects of the cluster") && policies.wait(ctx) {
		all := s.arrived.Take()
		s.read.Store(true)
		s.handOver(all)
		s.log.Info("cluster read", zap.Int("objects", len(all)))
		forward(ctx, s.arrived, s.handOver)
	}
	return running.Wait()
}

// handOver gives a batch to all who wait for it.
func (s *Source) handOver(batch map[object.Ref]object.Object) {
	s.changes.PutAll(batch)
	s.replicas.take(batch)
}

// forward passes on what arrives until ctx ends.
func forward(ctx context.Context, from *latest.Map[object.Ref, object.Object], to func(map[object.Ref]object.Object)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-from.Ready():
			if batch := from.Take(); len(batch) > 0 {
				to(batch)
			}
		}
	}
}

// take hands an object over unless nothing in it changed that translation
// reads: most news of a cluster is of that sort, our own status writes above all
// (rule 76).
func (s *Source) take(old, now *cut, arrived *latest.Map[object.Ref, object.Object]) {
	ref := now.object.Ref()
	if now.seen != nil {
		s.statuses.Put(ref.Key, now.seen)
	}
	if old != nil && reflect.DeepEqual(old.object, now.object) {
		return
	}
	if r, ok := now.object.(*refused); ok { // Rule 77: what was good before goes on.
		s.log.Warn("object refused", zap.String("object", r.err.Object), zap.String("field", r.err.Field), zap.String("error", r.err.Problem))
		return
	}
	arrived.Put(ref, now.object)
}

// drop uses nothing but the key of an object: the object of a deletion that was
// noticed late is an old one, or none (rule 75).
func (s *Source) drop(kind object.Kind, last any, arrived *latest.Map[object.Ref, object.Object]) {
	name, err := cache.DeletionHandlingObjectToName(last)
	if err != nil {
		s.log.Error("deletion without a name", zap.Error(err)) // client-go promises that there is none
		return
	}
	key := object.Key{Namespace: name.Namespace, Name: name.Name}
	if kind == object.KindSite {
		s.statuses.Put(key, nil)
	}
	arrived.Put(object.Ref{Kind: kind, Key: key}, nil)
}
