package source

import (
	"context"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/kube"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

// pasts are the pasts of all kinds of objects. They change if the cluster's etcd is
// restored from a backup: objects are gone then without a word, others are as they
// were, and versions go back and are given out a second time. A watch that goes on
// from where it was goes on from the future: it hears nothing, or later what comes
// after, and client-go does not look. Where one kind notices, all are listed anew.
type pasts struct {
	log *zap.Logger

	mu      sync.Mutex
	changes int                       // how often they were found to be others
	watches map[*past]watch.Interface // the last of each kind
}

func newPasts(log *zap.Logger) *pasts {
	return &pasts{log: log, watches: make(map[*past]watch.Interface)}
}

// known returns how often they have changed so far.
func (p *pasts) known() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changes
}

// change takes that versions have gone back, unless they have changed since then
// anyway: all watches end, and what follows them are listings.
func (p *pasts) change(since int, why string, fields ...zap.Field) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changes != since {
		return
	}
	p.changes++
	p.log.Warn(why, fields...)
	for _, w := range p.watches {
		w.Stop()
	}
}

// begun takes a watch that began when there had been so many changes.
func (p *pasts) begun(of *past, w watch.Interface) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watches[of] = w
	if p.changes != of.listed {
		w.Stop()
	}
}

// past is that of one kind of objects. It belongs to a reflector, which makes one
// request at a time.
type past struct {
	all     *pasts
	objects dynamic.ResourceInterface
	label   string // that they carry, if any
	listed  int    // how many changes there had been when they were last listed

	// listing counts the listings. Versions of two of them cannot be compared.
	listing atomic.Uint32
}

// list lists objects.
func (p *past) list(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	if err := p.reached(ctx, options.ResourceVersion); err != nil {
		return nil, err
	}
	p.listing.Add(1)
	options.LabelSelector = p.label
	return p.objects.List(ctx, options)
}

// watch watches objects, and lists them first if the options say so.
func (p *past) watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if err := p.reached(ctx, options.ResourceVersion); err != nil {
		return nil, err
	}
	if options.SendInitialEvents != nil && *options.SendInitialEvents {
		p.listing.Add(1)
	}
	options.LabelSelector = p.label
	w, err := p.objects.Watch(ctx, options)
	if err == nil {
		p.all.begun(p, w)
	}
	return w, err
}

// reached returns the error that a version is expired if the API server has not
// reached it, or it is of another past. So it is, and so client-go lists anew,
// whatever the version.
func (p *past) reached(ctx context.Context, version string) error {
	known := p.all.known()
	if version == "" || version == "0" {
		p.listed = known // any will do
		return nil
	}
	expired := apierrors.NewResourceExpired("version " + version + " is from before a backup of etcd was restored")
	if p.listed != known {
		return expired
	}
	// Where no version is asked for, the API server has etcd say which is the newest.
	list, err := p.objects.List(ctx, metav1.ListOptions{LabelSelector: p.label, Limit: 1})
	if err != nil {
		return err
	}
	newest := list.GetResourceVersion()
	if order, err := resourceversion.CompareResourceVersion(newest, version); err != nil || order >= 0 {
		return nil
	}
	p.all.change(known, "the cluster's versions have gone back, as they do when etcd is restored from a backup: listing everything anew",
		zap.String("known", version), zap.String("newest", newest))
	return expired
}

// listWatch asks for the objects of a past.
func listWatch(client dynamic.Interface, past *past, outage *kube.Outage) cache.ListerWatcher {
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := past.list(ctx, options)
			noteWatch(ctx, outage, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			w, err := past.watch(ctx, options)
			noteWatch(ctx, outage, err)
			return w, err
		},
	}, client)
}
