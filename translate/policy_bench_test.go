package translate_test

import (
	"fmt"
	"maps"
	"testing"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// policyNumber lets one of the 1,000 namespaces of manySites claim what it has,
// and a domain of its own besides.
func policyNumber(i int, own string) *Policy {
	p := policyFor("", "Reserve", "docs.example.com", own)
	p.Name = fmt.Sprintf("policy-%d", i)
	p.Selector.MatchLabels = map[string]string{"kubernetes.io/metadata.name": fmt.Sprintf("team-%d", i)}
	return p
}

// underPolicies is a world of n sites and 1,000 policies.
func underPolicies(n int) map[Ref]Object {
	objects := manySites(n)
	for i := range 1000 {
		maps.Copy(objects, changesOf(policyNumber(i, fmt.Sprintf("team-%d.example.com", i))))
	}
	return objects
}

// What policies cost, beside the benchmarks of the same names without them.
func BenchmarkUnderPolicies(b *testing.B) {
	const n = 100_000
	objects := underPolicies(n)
	run := func(name string, change func(i int) Object, check func(Delta) bool) {
		b.Run(name, func(b *testing.B) {
			w := NewWorld(Options{})
			w.Apply(objects)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if d := w.Apply(changesOf(change(i))); !check(d) {
					b.Fatal(len(d.Resources), len(d.Verdicts))
				}
			}
		})
	}
	b.Run("Start", func(b *testing.B) {
		for b.Loop() {
			NewWorld(Options{}).Apply(objects)
		}
	})
	run("OneSiteChanges", func(i int) Object { return siteNumber(i%n, int32(80+(i/n+1)%2)) },
		func(d Delta) bool { return len(d.Verdicts) == 1 })
	run("OneNamespaceIsLabelled", func(i int) Object { return namespaceOf("team-7", fmt.Sprint("stage-", i)) },
		func(d Delta) bool { return len(d.Verdicts) == 0 })
	// 100 sites lose their domain, or get it back.
	run("OnePolicyClosesANamespace", func(i int) Object {
		p := policyNumber(7, "team-7.example.com")
		if i%2 == 0 {
			p.Domains = p.Domains[1:]
		}
		return p
	}, func(d Delta) bool { return len(d.Verdicts) == 100 })
	run("OnePolicyChangesWhatNobodyClaims", func(i int) Object {
		p := policyNumber(7, fmt.Sprintf("team-%d.example.com", i))
		p.Domains = p.Domains[1:]
		p.Name, p.Selector.MatchLabels["kubernetes.io/metadata.name"] = "other", "nobody"
		return p
	}, func(d Delta) bool { return len(d.Verdicts) == 0 })
}
