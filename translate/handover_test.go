package translate_test

import (
	"testing"
	"time"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// heir names the domain of docsSite too, and is younger.
func heir() *Site {
	return &Site{Key: Key{Namespace: "guides", Name: "main"}, Created: time.Unix(2, 0), Domain: "docs.example.com", Service: "web", Port: 80}
}

func holder() *Site {
	s := docsSite()
	s.Created = time.Unix(1, 0)
	return s
}

func TestLoserOfADomainTakesNothingFromItsHolder(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(holder(), docsService()))
	expect(t, w.Apply(changesOf(heir())), "verdict guides/main DomainConflict ServiceNotFound")
}

// The scope of the domain is replaced, never removed: there is no moment at
// which nobody serves it.
func TestDomainPassesToTheNextInLineWithoutAGap(t *testing.T) {
	handover := []string{
		"-Cluster docs_web_80_cluster", "+Cluster guides_web_80_cluster",
		"-ClusterLoadAssignment docs_web_80_cluster", "+ClusterLoadAssignment guides_web_80_cluster",
	}
	t.Run("when its holder goes", func(t *testing.T) {
		w := NewWorld(Options{})
		w.Apply(changesOf(holder(), heir()))
		expect(t, w.Apply(map[Ref]Object{holder().Ref(): nil}), append(handover,
			"+ScopedRouteConfiguration docs.example.com", "verdict docs/main gone", "verdict guides/main Accepted ServiceNotFound")...)
	})
	t.Run("when its holder moves", func(t *testing.T) {
		moved := holder()
		moved.Domain = "new.example.com"
		w := NewWorld(Options{})
		w.Apply(changesOf(holder(), heir()))
		expect(t, w.Apply(changesOf(moved)),
			"+Cluster guides_web_80_cluster", "+ClusterLoadAssignment guides_web_80_cluster",
			"+ScopedRouteConfiguration docs.example.com", "+ScopedRouteConfiguration new.example.com",
			"verdict docs/main Accepted ServiceNotFound", "verdict guides/main Accepted ServiceNotFound")
	})
}

func TestHolderKeepsItsDomainAgainstAnOlderSite(t *testing.T) {
	young := heir()
	young.Held = []string{"docs.example.com"}
	w := NewWorld(Options{})
	w.Apply(changesOf(young))
	expect(t, w.Apply(changesOf(holder())), "verdict docs/main DomainConflict ServiceNotFound")
}

func TestLosersLearnOfANewHolder(t *testing.T) {
	third := heir()
	third.Namespace, third.Created = "third", time.Unix(3, 0)
	w := NewWorld(Options{})
	w.Apply(changesOf(holder(), heir(), third))
	d := w.Apply(map[Ref]Object{holder().Ref(): nil})
	last := d.Verdicts[len(d.Verdicts)-1]
	want := "spec.domain: docs.example.com belongs to a StaticSite in namespace guides: " +
		"write another domain, or have that site give it up (this one is served at once then)"
	if last.Site != third.Key || last.Accepted.Message != want {
		t.Errorf("%s is told %q", last.Site, last.Accepted.Message)
	}
}
