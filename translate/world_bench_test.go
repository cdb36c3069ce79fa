package translate_test

import (
	"fmt"
	"testing"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// manySites is a world of n sites, each with a Service and an EndpointSlice of
// its own.
func manySites(n int) map[Ref]Object {
	changes := make(map[Ref]Object, 3*n)
	for i := range n {
		for _, o := range []Object{siteNumber(i, 80), serviceNumber(i), sliceNumber(i, 1)} {
			changes[o.Ref()] = o
		}
	}
	return changes
}

func keyNumber(i int, suffix string) Key {
	return Key{Namespace: fmt.Sprintf("team-%d", i%1000), Name: fmt.Sprintf("site-%d%s", i, suffix)}
}

func siteNumber(i int, port int32) *Site {
	domain := fmt.Sprintf("site-%d.docs.example.com", i)
	return &Site{Key: keyNumber(i, ""), Domain: domain, Service: fmt.Sprintf("site-%d-svc", i), Port: port, Held: []string{domain}}
}

func serviceNumber(i int) *Service {
	return &Service{Key: keyNumber(i, "-svc"), Ports: []ServicePort{{Name: "a", Port: 80}, {Name: "b", Port: 81}}}
}

func sliceNumber(i, generation int) *Slice {
	return &Slice{
		Key: keyNumber(i, "-svc-x"), Service: fmt.Sprintf("site-%d-svc", i), AddressType: "IPv4",
		Ports: []SlicePort{{Name: "a", Port: 8080}, {Name: "b", Port: 8081}},
		Endpoints: []Endpoint{
			{Address: fmt.Sprintf("10.1.%d.%d", generation%250, i%250), Ready: true, Zone: "eu-central-1a"},
			{Address: fmt.Sprintf("10.2.%d.%d", generation%250, i%250), Ready: true, Zone: "eu-central-1b"},
		},
	}
}

// One site of many turns to another port: a new scope and cluster.
func BenchmarkOneSiteChanges(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := NewWorld(Options{})
			w.Apply(manySites(n))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s := siteNumber(i%n, int32(80+(i/n+1)%2))
				if d := w.Apply(changesOf(s)); len(d.Verdicts) != 1 {
					b.Fatal(outline(d))
				}
			}
		})
	}
}

// One pod of many moves: a new assignment.
func BenchmarkOnePodMoves(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := NewWorld(Options{})
			w.Apply(manySites(n))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if d := w.Apply(changesOf(sliceNumber(i%n, i/n+2))); len(d.Resources) != 1 {
					b.Fatal(outline(d))
				}
			}
		})
	}
}

// Layout single, where one change rebuilds the table.
func BenchmarkOneSiteChangesInOneTable(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := NewWorld(Options{Routes: RoutesSingle})
			w.Apply(manySites(n))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				w.Apply(changesOf(siteNumber(i%n, int32(80+(i/n+1)%2))))
			}
		})
	}
}

// Everything at once, as at the start.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			changes := manySites(n)
			b.ReportAllocs()
			for b.Loop() {
				NewWorld(Options{}).Apply(changes)
			}
		})
	}
}
