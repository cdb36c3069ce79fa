package index

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

type named struct {
	name string
	n    int
}

func nameOf(v *named) string { return v.name }

// A table is what a map is, whatever is added and deleted.
func TestTableIsAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, names := range []int{4, 50, 3000} {
		table, model := New(nameOf), make(map[string]*named)
		for step := range 20 * names {
			name := fmt.Sprint(random.IntN(names))
			switch old := model[name]; {
			case random.IntN(3) > 0:
				v := &named{name, step}
				table.Put(v)
				model[name] = v
			case old != nil && random.IntN(2) == 0:
				table.Put(old)
			default:
				table.Delete(name)
				delete(model, name)
			}
			if table.Get(name) != model[name] || table.Len() != len(model) {
				t.Fatalf("step %d: %s is %v, want %v; there are %d, want %d", step, name, table.Get(name), model[name], table.Len(), len(model))
			}
			if step%names == 0 {
				check(t, table, model)
			}
		}
		check(t, table, model)
	}
}

func check(t *testing.T, table *Table[string, named], model map[string]*named) {
	t.Helper()
	all := make(map[string]*named)
	for v := range table.All() {
		if all[v.name] != nil {
			t.Errorf("%s is there twice", v.name)
		}
		all[v.name] = v
	}
	if !maps.Equal(all, model) {
		t.Errorf("it holds %v, want %v", all, model)
	}
	for name, v := range model {
		if table.Get(name) != v {
			t.Errorf("%s is %v, want %v", name, table.Get(name), v)
		}
	}
}

// Whoever goes through all may delete: each that was there is seen once.
func TestAllMayBeDeletedFrom(t *testing.T) {
	table := New(nameOf)
	for n := range 100 {
		table.Put(&named{fmt.Sprint(n), n})
	}
	var seen []int
	for v := range table.All() {
		seen = append(seen, v.n)
		table.Delete(v.name)
	}
	slices.Sort(seen)
	if len(seen) != 100 || len(slices.Compact(seen)) != 100 || table.Len() != 0 {
		t.Errorf("saw %d of 100, and %d are left", len(seen), table.Len())
	}
}
