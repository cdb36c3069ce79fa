package source

import (
	"testing"

	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
)

// A watch does not go on from a version that the cluster has not reached: it has
// been restored from a backup. How that ends is in e2e (TestRestoredFromBackup).
func TestAVersionFromTheFutureIsExpired(t *testing.T) {
	client := newFake()
	newest, denied := "100", false
	client.PrependReactor("list", "services", func(clienttesting.Action) (bool, runtime.Object, error) {
		if denied {
			return true, nil, apierrors.NewForbidden(services.GroupResource(), "", nil)
		}
		list := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceList"}}
		list.SetResourceVersion(newest)
		return true, list, nil
	})
	client.PrependWatchReactor("services", func(clienttesting.Action) (bool, watch.Interface, error) { return true, watch.NewFake(), nil })
	logs, log := logged()
	p := &past{all: newPasts(log), objects: client.Resource(services)}
	yes := true
	ways := map[string]func(version string) error{
		"watch": func(version string) error {
			_, err := p.watch(t.Context(), metav1.ListOptions{ResourceVersion: version})
			return err
		},
		"watch, with all that there is": func(version string) error {
			_, err := p.watch(t.Context(), metav1.ListOptions{ResourceVersion: version, SendInitialEvents: &yes})
			return err
		},
		"list": func(version string) error {
			_, err := p.list(t.Context(), metav1.ListOptions{ResourceVersion: version})
			return err
		},
	}
	for name, do := range ways {
		for _, version := range []string{"", "0", "9", "100"} {
			if err := do(version); err != nil {
				t.Errorf("%s from %q: %v", name, version, err)
			}
		}
		denied = true
		if err := do("9"); !apierrors.IsForbidden(err) {
			t.Errorf("%s, and nobody knows: %v", name, err)
		}
		denied = false
		logs.TakeAll()
		for _, version := range []string{"101", "9"} { // and no other version will do either
			if err := do(version); !apierrors.IsResourceExpired(err) {
				t.Errorf("%s from %s: %v", name, version, err)
			}
		}
		if n := logs.FilterMessage("the cluster's versions have gone back, as they do when etcd is restored from a backup: listing everything anew").Len(); n != 1 {
			t.Errorf("%s: said %d times, want once", name, n)
		}
		if err := do(""); err != nil {
			t.Error(err)
		}
	}
	if n := p.listing.Load(); n != 2*5 {
		t.Errorf("%d listings, want those of two ways", n)
	}
}

// Where one kind notices, all are listed anew: the others may have caught up by then.
func TestAllKindsFollowOne(t *testing.T) {
	client := newFake()
	all := newPasts(zap.NewNop())
	begin := func(p *past) watch.Interface {
		t.Helper()
		w, err := p.watch(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	one, other := &past{all: all, objects: client.Resource(services)}, &past{all: all, objects: client.Resource(endpointSlices)}
	w := begin(other)
	all.change(one.listed, "restored")
	if _, open := <-w.ResultChan(); open {
		t.Error("a watch goes on")
	}
	if _, err := other.watch(t.Context(), metav1.ListOptions{ResourceVersion: "1"}); !apierrors.IsResourceExpired(err) {
		t.Errorf("it goes on from where it was: %v", err)
	}
	w = begin(other)
	all.change(one.listed, "restored") // one that is late to notice
	if all.known() != 1 {
		t.Errorf("%d changes", all.known())
	}
	w.Stop()
}
