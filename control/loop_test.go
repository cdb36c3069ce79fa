package control

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"my-company.com/staticsite-operator/xds"
)

// No debounce (rule 78): the first change of an idle system is published without
// time passing, and what arrives before the loop gets to it is one batch.
func TestRule78(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		put := func(n int) {
			s := newSite(fmt.Sprint("site", n), fmt.Sprintf("site%d.example.com", n))
			w.objects.Put(s.Ref(), s)
		}
		// While the loop is at something else, here before it runs:
		for n := range 100 {
			put(n)
		}
		before, start := w.store.Latest().Seq(), time.Now()
		go w.Run(ctx)
		synctest.Wait()
		after := w.store.Latest()
		if after.Seq() != before+1 || after.Len(xds.ScopedRoute) != 100 {
			t.Errorf("100 sites at once are %d snapshots, the last with %d scopes", after.Seq()-before, after.Len(xds.ScopedRoute))
		}
		put(100)
		synctest.Wait()
		if got := w.store.Latest().Len(xds.ScopedRoute); got != 101 {
			t.Errorf("one more site: %d scopes", got)
		}
		if !time.Now().Equal(start) {
			t.Errorf("it took %v", time.Since(start))
		}
	})
}
