package source

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/cache"

	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
)

// informers watch some kinds of objects for as long as they run.
type informers struct {
	kinds   []watchedKind
	list    []cache.SharedIndexInformer // one a kind
	handled []cache.DoneChecker         // all that was there at first has been put
}

// newInformers returns informers that put what changes into arrived. The error
// is about a program that is put together wrongly.
func (s *Source) newInformers(kinds []watchedKind, arrived *latest.Map[object.Ref, object.Object]) (*informers, error) {
	all := &informers{kinds: kinds}
	for _, w := range kinds {
		past := &past{all: s.pasts, objects: s.client.Resource(w.resource), label: w.selector}
		informer := cache.NewSharedIndexInformer(
			listWatch(s.client, past, newWatchOutage(s.log, w.resource, &s.read)),
			&unstructured.Unstructured{}, 0, cache.Indexers{})
		if err := informer.SetTransform(cutter(w.kind, &past.listing)); err != nil {
			return nil, err
		}
		if err := informer.SetWatchErrorHandlerWithContext(ignoreWatchError); err != nil {
			return nil, err
		}
		registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(now any) { s.take(nil, now.(*cut), arrived) },
			UpdateFunc: func(old, now any) { s.take(old.(*cut), now.(*cut), arrived) },
			DeleteFunc: func(last any) { s.drop(w.kind, last, arrived) },
		})
		if err != nil {
			return nil, err
		}
		all.list = append(all.list, informer)
		all.handled = append(all.handled, registration.HasSyncedChecker())
	}
	return all, nil
}

// run returns when ctx has ended and nothing will be put any more.
func (i *informers) run(ctx context.Context) {
	var running sync.WaitGroup
	for _, informer := range i.list {
		running.Go(func() { informer.RunWithContext(ctx) })
	}
	running.Wait()
}

// wait returns when all objects that were there at first have been put; false if
// ctx ended before.
func (i *informers) wait(ctx context.Context, what string) bool {
	return cache.WaitFor(ctx, what, i.handled...)
}

// gone returns a change for every object that there is: that it is gone.
func (i *informers) gone() map[object.Ref]object.Object {
	gone := make(map[object.Ref]object.Object)
	for n, informer := range i.list {
		for _, kept := range informer.GetStore().List() {
			ref := object.Ref{Kind: i.kinds[n].kind, Key: kept.(*cut).object.Ref().Key}
			gone[ref] = nil
		}
	}
	return gone
}
