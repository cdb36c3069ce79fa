package control

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/xds"
)

// A batch that is translated in parts comes to what it comes to as one: the same
// resources in one snapshot, the same statuses, and none of what was so between
// two parts.
func TestPartsComeToTheSame(t *testing.T) {
	whole, parts := newWorld(t), newWorld(t)
	parts.partSize = 1
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		changes := make(map[object.Ref]object.Object)
		for range 1 + r.IntN(30) {
			namespace := fmt.Sprint("team-", r.IntN(6))
			key := object.Key{Namespace: namespace, Name: "web"}
			switch r.IntN(5) {
			case 0:
				changes[object.Ref{Kind: object.KindService, Key: key}] = &object.Service{Key: key, Ports: []object.ServicePort{{Port: 80}}}
			case 1:
				changes[object.Ref{Kind: object.KindService, Key: key}] = nil
			case 2:
				key.Name = fmt.Sprint("site-", r.IntN(3))
				changes[object.Ref{Kind: object.KindSite, Key: key}] = nil
			default: // They want each other's domains, and some are recorded as holders and make a mistake.
				key.Name = fmt.Sprint("site-", r.IntN(3))
				site := &object.Site{
					Key: key, Generation: int64(round), Created: time.Unix(int64(r.IntN(100)), 0),
					Domain: fmt.Sprintf("docs-%d.example.com", r.IntN(5)), Service: "web", Port: 80,
				}
				if r.IntN(3) == 0 {
					site.Held, site.Domain = []string{site.Domain}, "docs_"
				}
				changes[site.Ref()] = site
			}
		}
		for _, w := range []*world{whole, parts} {
			before := w.store.Latest().Seq()
			w.apply(maps.Clone(changes))
			if after := w.store.Latest().Seq(); after > before+1 {
				t.Fatalf("round %d: %d snapshots", round, after-before)
			}
		}
		if diff := cmp.Diff(served(whole.store), served(parts.store)); diff != "" {
			t.Fatalf("round %d: what is served differs (-whole +parts):\n%s", round, diff)
		}
		// A site that lost its domain in one part and has it again in another waits
		// for an acknowledgement that as one batch it would not have waited for.
		whole.proxy(1, nil)
		parts.proxy(1, nil)
		whole.invariants()
		parts.invariants()
		if diff := cmp.Diff(whole.Statuses().Take(), parts.Statuses().Take()); diff != "" {
			t.Fatalf("round %d: statuses differ (-whole +parts):\n%s", round, diff)
		}
	}
}

// served returns the versions of all clusters, endpoints and scopes.
func served(store *xds.Store) map[string]string {
	versions := make(map[string]string)
	for _, t := range []xds.Type{xds.Cluster, xds.Endpoint, xds.ScopedRoute} {
		s := xds.NewDeltaSession(store.Latest(), time.Hour, 0)
		s.Request(&xds.Request{Type: t, Subscribe: []string{"*"}})
		_, response := s.Next(time.Unix(0, 0))
		for _, r := range response.Upserts {
			versions[t.String()+" "+r.Name] = r.Version
		}
	}
	return versions
}
