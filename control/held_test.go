package control

import (
	"fmt"
	"runtime"
	"testing"

	"my-company.com/staticsite-operator/object"
)

// What is kept of a site with a Service and a pod of its own, beside the objects
// themselves: 640 bytes of encoded messages, and what translation, the store and
// the join know of it, 2,020 in all. One more map with the names of all is 70 bytes.
func TestASiteTakesLittleMemory(t *testing.T) {
	const sites, most = 5_000, 2_200 // bytes of each
	newWorld(t).apply(ownSites(1))   // what is made once
	objects := ownSites(sites)
	before := liveHeap()
	w := newWorld(t)
	w.apply(objects)
	w.Statuses().Take()
	if kept := (liveHeap() - before) / sites; kept > most {
		t.Errorf("a site takes %d bytes, want at most %d", kept, most)
	} else {
		t.Logf("a site takes %d bytes", kept)
	}
	runtime.KeepAlive(w)
	runtime.KeepAlive(objects)
}

// ownSites are sites with a Service and a pod each.
func ownSites(n int) map[object.Ref]object.Object {
	objects := make(map[object.Ref]object.Object, 3*n)
	for i := range n {
		key := func(kind string) object.Key {
			return object.Key{Namespace: fmt.Sprint("team-", i/100), Name: fmt.Sprint("handbook-", kind, "-", i)}
		}
		domain := fmt.Sprintf("site-%d.docs.example.com", i)
		site := &object.Site{Key: key("site"), Generation: 1, Domain: domain, Held: []string{domain}, Service: key("web").Name, Port: 80}
		service := &object.Service{Key: key("web"), Ports: []object.ServicePort{{Name: "http", Port: 80}}}
		slice := &object.Slice{
			Key: key("web-x"), Service: service.Name, AddressType: "IPv4", Ports: []object.SlicePort{{Name: "http", Port: 8080}},
			Endpoints: []object.Endpoint{{Address: fmt.Sprintf("10.0.%d.%d", i/250, i%250+1), Ready: true, Zone: "eu-central-1a"}},
		}
		objects[site.Ref()], objects[service.Ref()], objects[slice.Ref()] = site, service, slice
	}
	return objects
}

// liveHeap returns the bytes that are in use when all garbage is collected.
func liveHeap() int {
	runtime.GC()
	runtime.GC() // what had finalizers, or was pointed to weakly
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
