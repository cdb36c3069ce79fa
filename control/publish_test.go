package control

import (
	"testing"
	"time"

	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// A domain that passes to a site whose last good form nobody knows answers with
// the page that says so, and not as the site did that had it before.
func TestAPlaceholderDoesNotKeepAnothersRoutes(t *testing.T) {
	mistaken := newSite("mistaken", "docs_")
	mistaken.Held = []string{"docs.example.com"}
	alone, w := newWorld(t), newWorld(t)
	alone.put(service(), mistaken)

	before := newSite("before", "docs.example.com")
	w.put(service(), before)
	w.proxy(1, nil)
	name := xds.ResourceName{Type: xds.ScopedRoute, Name: "docs.example.com"}
	had := w.store.Latest().VersionOf(name)
	w.put(mistaken) // It was recorded as the holder, and the other not yet.
	w.expect("before", "Accepted", "False", "DomainConflict", "")

	if got, want := w.store.Latest().VersionOf(name), alone.store.Latest().VersionOf(name); got != want {
		t.Errorf("the domain is served as %s, want the placeholder %s", got, want)
	}
	returns := xds.NewDeltaSession(w.store.Latest(), time.Hour, 0)
	returns.Request(&xds.Request{Type: xds.ScopedRoute, Subscribe: []string{"*"}, Claims: []xds.Claim{{Name: name.Name, Version: had}}})
	if _, response := returns.Next(time.Unix(0, 0)); response == nil || len(response.Upserts) != 1 {
		t.Errorf("a proxy that was away meanwhile is sent %+v", response)
	}
	w.apply(map[translate.Ref]translate.Object{mistaken.Ref(): nil})
	w.proxy(1, nil)
	w.expect("before", "Programmed", "True", "Programmed", "")
}
