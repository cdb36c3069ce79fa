package source

import (
	"slices"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"

	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"
)

// An informer asks a stored object for key and version, and cuts some twice.
func TestACutObjectIsGoodForAnInformer(t *testing.T) {
	c := cutObject(t, siteObject("a", "7", spec("a.example.com"), nil))
	accessor, err := meta.Accessor(c)
	if err != nil {
		t.Fatal(err)
	}
	if accessor.GetNamespace() != "docs" || accessor.GetName() != "a" || accessor.GetResourceVersion() != "7" {
		t.Errorf("is %s/%s at %s", accessor.GetNamespace(), accessor.GetName(), accessor.GetResourceVersion())
	}
	again, err := cutter(object.KindSite, new(atomic.Uint32))(c)
	if again != any(c) || err != nil {
		t.Errorf("cut again: %v, %v", again, err)
	}
}

// FuzzCut: no object of a cluster, however odd, is an error or a panic.
func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"metadata": {"name": "a", "namespace": "b"}, "spec": {"domain": 5}, "status": {"conditions": [{"type": "Ready", "lastTransitionTime": "x"}], "domains": {}}}`))
	f.Add([]byte(`{"metadata": {"labels": [1]}, "endpoints": [{"addresses": [null]}, 5], "ports": {}}`))
	f.Add([]byte(`{"metadata": {"name": "a"}, "spec": {"responseHeaders": {"set": [null, {"name": 5}, 7], "remove": {"a": [1.5]}}}}`))
	f.Add([]byte(`{"metadata": 5, "spec": [], "status": "x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, w := range slices.Concat(watched, policyKinds) {
			var root map[string]any
			if kjson.UnmarshalCaseSensitivePreserveInts(text, &root) != nil || root == nil {
				return
			}
			c, err := cutter(w.kind, new(atomic.Uint32))(&unstructured.Unstructured{Object: root})
			if err != nil || c.(*cut).object == nil {
				t.Fatalf("%v, %v", c, err)
			}
		}
	})
}

// BenchmarkCut measures what a site takes in an informer's store, status and all.
func BenchmarkCut(b *testing.B) {
	const sites = 100_000
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		empty := heap()
		store := make([]*cut, 0, sites)
		for i := range sites {
			store = append(store, cutObject(b, typicalSite(i)))
		}
		stored := heap()
		runtime.KeepAlive(store)
		b.ReportMetric(float64(stored-empty)/sites, "B/stored-site")
	}
}

func typicalSite(i int) *unstructured.Unstructured {
	domain := fmt.Sprintf("site-%d.example.com", i)
	var conditions []any
	for _, typ := range v1alpha1.Conditions[:4] {
		conditions = append(conditions, map[string]any{
			"type": typ, "status": "True", "reason": typ, "message": "fine",
			"observedGeneration": int64(1), "lastTransitionTime": "2026-01-02T03:04:05Z",
		})
	}
	return siteObject(fmt.Sprintf("site-%d", i), fmt.Sprint(100000+i), spec(domain), map[string]any{
		"observedGeneration": int64(1), "phase": "Provisioned", "message": "acknowledged by every serving proxy",
		"domains": []any{domain}, "conditions": conditions,
	})
}
