package sites

import (
	"slices"
	"testing"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// What the load generator asks for is what is served, and every change changes
// what it says, no more and no less.
func TestChanges(t *testing.T) {
	set := Of(300)
	world := translate.NewWorld(translate.Options{})
	var clusters []string
	for _, r := range world.Apply(set.Objects()).Resources {
		if r.Type == xds.Cluster.URL() {
			clusters = append(clusters, r.Name)
		}
	}
	slices.Sort(clusters)
	if want := slices.Sorted(slices.Values(set.Clusters())); !slices.Equal(clusters, want) {
		t.Errorf("%d clusters are served, %d are asked for", len(clusters), len(want))
	}
	for k := range 10 {
		for name, c := range map[string]struct {
			object object.Object
			typ    xds.Type
			n      int
		}{
			"turn":   {set.Turn(k), xds.ScopedRoute, 1},
			"move":   {set.Move(k), xds.Endpoint, 1},
			"rename": {set.Rename(k), xds.ScopedRoute, 2}, // the new and the old
		} {
			delta := world.Apply(map[object.Ref]object.Object{c.object.Ref(): c.object})
			if len(delta.Resources) != c.n {
				t.Errorf("%s %d changes %d resources, want %d", name, k, len(delta.Resources), c.n)
			}
			for _, r := range delta.Resources {
				if r.Type != c.typ.URL() {
					t.Errorf("%s %d changes a resource of type %s", name, k, r.Type)
				}
			}
		}
	}
}
