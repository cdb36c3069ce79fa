package kube

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// A watch that ended before it began is how client-go tells of a connection that
// was reset; it is logged once, and so is the first watch that works.
func TestAWatchThatEndsAtOnceIsAnOutage(t *testing.T) {
	for name, works := range map[string]func(*watch.FakeWatcher){
		"by an event":  func(w *watch.FakeWatcher) { w.Add(&metav1.Status{}) },
		"by its peace": func(*watch.FakeWatcher) {},
	} {
		synctest.Test(t, func(t *testing.T) {
			logs, log := logged()
			o := newWatchOutage(log, watched[0].resource)
			expect := func(lost, back int) {
				t.Helper()
				synctest.Wait()
				if l, b := logs.FilterMessage(o.lost).Len(), logs.FilterMessage(o.back).Len(); l != lost || b != back {
					t.Fatalf("%s: %d outages and %d ends of one were logged, want %d and %d", name, l, b, lost, back)
				}
			}
			ctx := context.Background()
			for range 3 {
				if _, open := <-hear(ctx, watch.NewEmptyWatch(), o).ResultChan(); open {
					t.Fatal("an empty watch said something")
				}
				time.Sleep(time.Hour)
			}
			expect(1, 0)

			w := watch.NewFake()
			h := hear(ctx, w, o)
			go func() {
				for range h.ResultChan() {
				}
			}()
			works(w)
			time.Sleep(lasting)
			expect(1, 1)
			w.Stop() // as the API server ends them, after a while
			expect(1, 1)

			hear(ctx, watch.NewFake(), o).Stop() // by us
			expect(1, 1)
		})
	}
}
