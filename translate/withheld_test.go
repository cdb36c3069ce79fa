package translate_test

import (
	"slices"
	"testing"
	"time"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// withTypo is docsSite, holding its domain, after a slip of the pen.
func withTypo() *Site {
	s := docsSite()
	s.Generation, s.Held, s.Domain = 2, []string{"docs.example.com"}, "docs_example.com"
	return s
}

func TestInvalidSpecificationKeepsWhatIsServed(t *testing.T) {
	for _, opts := range combinations {
		w := NewWorld(opts)
		w.Apply(changesOf(docsSite(), docsService(), docsSlice("10.0.0.1")))
		d := w.Apply(changesOf(withTypo()))
		expect(t, d, "verdict docs/main InvalidDomain ResolvedRefs")
		v := d.Verdicts[0]
		if v.Generation != 2 || v.Domain != "" || len(v.Resources) > 0 || !slices.Equal(v.Holds, []string{"docs.example.com"}) {
			t.Errorf("verdict %+v", v)
		}
		mended := docsSite()
		mended.Generation, mended.Held = 3, []string{"docs.example.com"}
		expect(t, w.Apply(changesOf(mended)), "verdict docs/main Accepted ResolvedRefs")
	}
}

func TestWithheldSiteFollowsItsPods(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService(), docsSlice("10.0.0.1")))
	w.Apply(changesOf(withTypo()))
	expect(t, w.Apply(changesOf(docsSlice("10.0.0.2"))), "+ClusterLoadAssignment docs_web_80_cluster")
}

func TestInvalidBackendKeepsWhatIsServed(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService()))
	broken := docsSite()
	broken.Held, broken.Service = []string{"docs.example.com"}, "Web!"
	expect(t, w.Apply(changesOf(broken)), "verdict docs/main InvalidServiceName InvalidSpec")
}

func TestNobodyTakesADomainWhileItsOwnerMendsATypo(t *testing.T) {
	older := docsSite()
	older.Namespace, older.Created = "guides", time.Unix(1, 0)
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService()))
	w.Apply(changesOf(withTypo()))
	expect(t, w.Apply(changesOf(older)), "verdict guides/main DomainConflict ServiceNotFound")
}

// What was never recorded was never held, whatever this server served: every
// replica must decide the same.
func TestInvalidSpecificationThatHeldNothingIsNotServed(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService()))
	typo := withTypo()
	typo.Held = nil
	expect(t, w.Apply(changesOf(typo)),
		"-Cluster docs_web_80_cluster", "-ClusterLoadAssignment docs_web_80_cluster", "-ScopedRouteConfiguration docs.example.com",
		"verdict docs/main InvalidDomain ResolvedRefs")
}

func TestFreshServerHasAPlaceholderForAWithheldSite(t *testing.T) {
	w := NewWorld(Options{})
	expect(t, w.Apply(changesOf(withTypo(), docsService())),
		"+Listener http_listener", "+ScopedRouteConfiguration docs.example.com (placeholder)", "verdict docs/main InvalidDomain ResolvedRefs")
	expect(t, w.Apply(changesOf(docsSite())),
		"+Cluster docs_web_80_cluster", "+ClusterLoadAssignment docs_web_80_cluster", "+ScopedRouteConfiguration docs.example.com",
		"verdict docs/main Accepted ResolvedRefs")
}

// The last valid specification was about another domain: nothing in it says
// what this one should answer.
func TestWithheldSiteHasAPlaceholderForADomainThatItLeft(t *testing.T) {
	left := docsSite()
	left.Domain, left.Held = "guide.example.com", []string{"docs.example.com"}
	w := NewWorld(Options{})
	w.Apply(changesOf(left, docsService()))
	expect(t, w.Apply(changesOf(withTypo())),
		"-Cluster docs_web_80_cluster", "-ClusterLoadAssignment docs_web_80_cluster",
		"+ScopedRouteConfiguration docs.example.com (placeholder)", "-ScopedRouteConfiguration guide.example.com",
		"verdict docs/main InvalidDomain ResolvedRefs")
}

// A record can be out of date: who was let go of a domain, and has not been told
// yet when he makes a mistake, does not get it back.
func TestWithheldSiteGivesWayToAnotherHolder(t *testing.T) {
	other := heir()
	other.Held = []string{"docs.example.com"}
	w := NewWorld(Options{})
	w.Apply(changesOf(other))
	expect(t, w.Apply(changesOf(withTypo())), "verdict docs/main InvalidDomain ServiceNotFound")
}

func TestSpoiledRecordOfAClaimIsNotBelieved(t *testing.T) {
	spoiled := withTypo()
	spoiled.Held = []string{"*", "http://x/", "", "Docs.Example.com.", "docs.example.com"}
	d := NewWorld(Options{}).Apply(changesOf(spoiled))
	if got := d.Verdicts[0].Holds; !slices.Equal(got, []string{"docs.example.com"}) {
		t.Errorf("holds %q", got)
	}
}
