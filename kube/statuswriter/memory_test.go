package statuswriter

import (
	"fmt"
	"runtime"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/kube/observed"
)

// BenchmarkLedger measures what a site takes in the ledger, besides the status that
// the informer's store has too.
func BenchmarkLedger(b *testing.B) {
	const sites = 100_000
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		store := make([]*observed.Status, 0, sites)
		for i := range sites {
			store = append(store, observed.Read(typicalSite(i).Object))
		}
		stored := heap()
		l := newLedger()
		for i, seen := range store {
			l.see(key(fmt.Sprintf("site-%d", i)), seen)
			l.demand(served(fmt.Sprintf("site-%d", i), 1, seen.Domains...))
		}
		kept := heap()
		runtime.KeepAlive(store)
		runtime.KeepAlive(l)
		b.ReportMetric(float64(kept-stored)/sites, "B/ledger-site")
	}
}

func typicalSite(i int) *unstructured.Unstructured {
	domain := fmt.Sprintf("site-%d.example.com", i)
	status := map[string]any{
		"observedGeneration": int64(1), "phase": "Provisioned", "message": "served by every connected proxy", "domains": []any{domain},
	}
	var conditions []any
	for _, c := range served("", 1).Conditions {
		conditions = append(conditions, map[string]any{
			"type": c.Type, "status": c.Status, "reason": c.Reason, "message": c.Message,
			"observedGeneration": int64(1), "lastTransitionTime": "2026-01-02T03:04:05Z",
		})
	}
	status["conditions"] = conditions
	return siteObject(fmt.Sprintf("site-%d", i), fmt.Sprint(100000+i), status)
}
