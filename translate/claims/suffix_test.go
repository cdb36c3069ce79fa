package claims

import (
	"math/rand/v2"
	"slices"
	"testing"

	"my-company.com/staticsite-operator/object"
)

// Names come and go in any order; what is found is what a look at each would find.
func TestNamesUnderASuffix(t *testing.T) {
	all := []string{"com", "example.com", "a.example.com", "b.a.example.com", "ample.com", "a.com", "example.org", "a"}
	for range 200 {
		var set names
		in := make(map[string]bool)
		for range 20 {
			name := all[rand.IntN(len(all))]
			if in[name] = !in[name]; in[name] {
				set.add(name)
			} else {
				set.remove(name)
			}
			for _, suffix := range all {
				var want []string
				for _, name := range all {
					if in[name] && covers(object.DomainMatch{Suffix: suffix}, name) {
						want = append(want, name)
					}
				}
				slices.Sort(want)
				if got := slices.Sorted(set.under(suffix)); !slices.Equal(got, want) {
					t.Fatalf("of %v under %s: %v, want %v", in, suffix, got, want)
				}
			}
		}
		for _, name := range all {
			set.remove(name)
		}
		if len(set.below) > 0 {
			t.Fatal("a set that is empty remembers labels")
		}
	}
}
