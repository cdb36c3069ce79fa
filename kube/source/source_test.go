package source

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"my-company.com/staticsite-operator/object"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"

	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"

	"my-company.com/staticsite-operator/latest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	services       = watched[1].resource
	endpointSlices = watched[2].resource
)

func siteObject(name, version string, spec, status map[string]any) *unstructured.Unstructured {
	root := map[string]any{
		"apiVersion": "platform.my-company.com/v1alpha1", "kind": "StaticSite",
		"metadata": map[string]any{"namespace": "docs", "name": name, "resourceVersion": version, "generation": int64(1)},
		"spec":     spec,
	}
	if status != nil {
		root["status"] = status
	}
	return &unstructured.Unstructured{Object: root}
}

func spec(domain string) map[string]any {
	return map[string]any{"domain": domain, "backend": map[string]any{"serviceName": "web", "servicePort": int64(80)}}
}

func serviceObject(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"namespace": "docs", "name": name, "resourceVersion": "1"},
		"spec":     map[string]any{"ports": []any{map[string]any{"port": int64(80)}}},
	}}
}

func newFake(objects ...runtime.Object) *fake.FakeDynamicClient {
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		watched[0].resource: "StaticSiteList", services: "ServiceList", endpointSlices: "EndpointSliceList",
		policyKinds[0].resource: "SiteDomainPolicyList", policyKinds[1].resource: "NamespaceList",
	}, objects...)
}

// start runs a source until the test ends.
func start(t *testing.T, s *Source) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
}

// take waits for the next batch of changes.
func take[K comparable, V any](t *testing.T, m *latest.Map[K, V]) map[K]V {
	t.Helper()
	select {
	case <-m.Ready():
		return m.Take()
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was handed over")
		return nil
	}
}

func key(name string) object.Key { return object.Key{Namespace: "docs", Name: name} }

func siteRef(name string) object.Ref {
	return object.Ref{Kind: object.KindSite, Key: key(name)}
}

func serviceRef(name string) object.Ref {
	return object.Ref{Kind: object.KindService, Key: key(name)}
}

func TestTheFirstBatchIsEverything(t *testing.T) {
	s := New(newFake(siteObject("a", "1", spec("a.example.com"), nil), serviceObject("web")), withoutPolicies(), zap.NewNop())
	start(t, s)
	got := take(t, s.Changes())
	if len(got) != 2 || got[siteRef("a")] == nil || got[serviceRef("web")] == nil {
		t.Fatalf("first batch %v, want site a and service web", got)
	}
	if site := got[siteRef("a")].(*object.Site); site.Domain != "a.example.com" || site.Service != "web" || site.Port != 80 || site.Generation != 1 {
		t.Errorf("site %+v", site)
	}
}

func TestAnEmptyClusterIsSaidToBeEmpty(t *testing.T) {
	s := New(newFake(), withoutPolicies(), zap.NewNop())
	start(t, s)
	if got := take(t, s.Changes()); len(got) != 0 {
		t.Fatalf("first batch %v, want none", got)
	}
}

// Rule 79: one kind that cannot be listed yet holds everything back.
func TestNothingIsHandedOverBeforeAllIsThere(t *testing.T) {
	client := newFake(siteObject("a", "1", spec("a.example.com"), nil), serviceObject("web"))
	var mu sync.Mutex
	down, asked := true, make(chan struct{}, 1000)
	client.PrependReactor("list", "services", func(clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		asked <- struct{}{}
		return down, nil, errors.New("down")
	})
	logs, log := logged()
	s := New(client, withoutPolicies(), log)
	start(t, s)
	for range 2 { // the sites were listed long ago when services are asked for again
		<-asked
	}
	if len(s.Changes().Ready()) > 0 || len(s.Changes().Take()) > 0 {
		t.Fatal("something was handed over before the services were known")
	}
	mu.Lock()
	down = false
	mu.Unlock()
	if got := take(t, s.Changes()); len(got) != 2 {
		t.Fatalf("first batch %v, want site a and service web", got)
	}
	if n := logs.FilterMessage("cannot watch, and nothing is served before that works").Len(); n != 1 {
		t.Errorf("the outage was logged %d times, want once", n)
	}
	if n := logs.FilterMessage("watching again").Len(); n != 1 {
		t.Errorf("its end was logged %d times, want once", n)
	}
}

func TestChangesAreHandedOverOnce(t *testing.T) {
	client := newFake(siteObject("a", "1", spec("a.example.com"), nil))
	s := New(client, withoutPolicies(), zap.NewNop())
	start(t, s)
	take(t, s.Changes())
	ctx, sites := context.Background(), client.Resource(watched[0].resource).Namespace("docs")

	update := func(o *unstructured.Unstructured) {
		t.Helper()
		if _, err := sites.Update(ctx, o, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	update(siteObject("a", "4", spec("a.example.com"), map[string]any{"domains": []any{"a.example.com"}}))
	got := take(t, s.Changes())
	if site, _ := got[siteRef("a")].(*object.Site); site == nil || !slices.Equal(site.Held, []string{"a.example.com"}) {
		t.Fatalf("after a claim: %v", got)
	}
	if err := sites.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	got = take(t, s.Changes())
	if object, there := got[siteRef("a")]; !there || object != nil {
		t.Fatalf("after deletion: %v", got)
	}
}

// Rule 76: of our own writes only a claim is news, for translation; for the
// status writer all are.
func TestAStatusIsNoChange(t *testing.T) {
	s := New(newFake(), withoutPolicies(), zap.NewNop())
	site := func(version string, status map[string]any) *cut {
		return cutObject(t, siteObject("a", version, spec("a.example.com"), status))
	}
	before := site("1", nil)
	for _, c := range []struct {
		status map[string]any
		puts   int
	}{
		{map[string]any{"phase": "Provisioned", "message": "fine", "observedGeneration": int64(1)}, 0},
		{map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}, 0},
		{map[string]any{"domains": []any{}}, 0},
		{map[string]any{"domains": []any{"a.example.com"}}, 1},
	} {
		s.take(before, site("2", c.status), s.arrived)
		if got := s.arrived.Take(); len(got) != c.puts {
			t.Errorf("status %v: handed over %v, want %d", c.status, got, c.puts)
		}
		if seen := s.statuses.Take()[key("a")]; seen == nil || seen.Version != "2" {
			t.Errorf("status %v: the status writer does not learn of it", c.status)
		}
	}
}

func cutObject(t testing.TB, u *unstructured.Unstructured) *cut {
	t.Helper()
	c, err := cutter(object.Kind(u.GetKind()), new(atomic.Uint32))(u)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*cut)
}

// Rule 77: an object that cannot be read costs nobody anything, not even itself.
func TestAnUnreadableObjectKeepsItsLastGoodForm(t *testing.T) {
	client := newFake(
		siteObject("a", "1", spec("a.example.com"), nil),
		siteObject("bad", "1", map[string]any{"domain": int64(5)}, nil))
	logs, log := logged()
	s := New(client, withoutPolicies(), log)
	start(t, s)
	if got := slices.Collect(maps.Keys(take(t, s.Changes()))); !slices.Equal(got, []object.Ref{siteRef("a")}) {
		t.Fatalf("first batch %v, want a only", got)
	}
	ctx, sites := context.Background(), client.Resource(watched[0].resource).Namespace("docs")
	if _, err := sites.Update(ctx, siteObject("a", "2", map[string]any{"domain": int64(5)}, nil), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := sites.Update(ctx, siteObject("bad", "2", spec("bad.example.com"), nil), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(maps.Keys(take(t, s.Changes()))); !slices.Equal(got, []object.Ref{siteRef("bad")}) {
		t.Fatalf("changed %v, want bad, which is good now, and not a, which is bad now", got)
	}
	for _, name := range []string{"StaticSite docs/bad", "StaticSite docs/a"} {
		if logs.FilterMessage("object refused").FilterField(zap.String("object", name)).Len() != 1 {
			t.Errorf("%s: not refused once", name)
		}
	}
}

// Rule 75: of a deletion that was seen late only the key is used.
func TestALateDeletion(t *testing.T) {
	s := New(newFake(), withoutPolicies(), zap.NewNop())
	s.drop(object.KindSite, cache.DeletedFinalStateUnknown{Key: "docs/a"}, s.arrived)
	if got := s.arrived.Take(); len(got) != 1 || got[siteRef("a")] != nil {
		t.Errorf("handed over %v, want that a is gone", got)
	}
	if got := s.statuses.Take(); len(got) != 1 || got[key("a")] != nil {
		t.Errorf("observed %v, want that a is gone", got)
	}
}

func logged() (*observer.ObservedLogs, *zap.Logger) {
	core, logs := observer.New(zap.InfoLevel)
	return logs, zap.New(core)
}
