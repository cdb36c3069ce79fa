// Package sites makes the sites that are measured: as many as asked for, each
// with a Service, an EndpointSlice and a cluster of its own, and changes of one
// of them.
//
// In every hundred, three share two Services, so that a change of one route has
// somewhere to lead to without bringing or taking a cluster: site 0 turns to and
// fro between Service 0 and Service 1, site 1 stays with Service 1, and site 2
// stays with Service 0. The Service of site 2 has no site and so no cluster.
package sites

import (
	"fmt"

	"my-company.com/staticsite-operator/object"
)

// perNamespace is how many sites share a namespace, as a team's do.
const perNamespace = 100

// Set is a number of sites. The number is a multiple of 100.
type Set struct {
	N int

	// Addresses are those of the endpoints, in turns; nil: each has one of its own,
	// which nobody connects to.
	Addresses []string
	// Port is that of every endpoint.
	Port int32
}

// Of returns n sites whose endpoints nobody connects to.
func Of(n int) Set { return Set{N: n, Port: 8080} }

// Objects returns all objects.
func (s Set) Objects() map[object.Ref]object.Object {
	objects := make(map[object.Ref]object.Object, 3*s.N)
	for i := range s.N {
		for _, o := range []object.Object{s.Site(i), s.Service(i), s.Slice(i, s.Address(i))} {
			objects[o.Ref()] = o
		}
	}
	return objects
}

// Site returns the i-th site as it is at first.
func (s Set) Site(i int) *object.Site {
	backend := i
	if i%perNamespace == 2 {
		backend = i - 2
	}
	return s.site(i, Domain(i), backend)
}

func (s Set) site(i int, domain string, backend int) *object.Site {
	return &object.Site{
		Key: key(i, "site"), Generation: 1, Domain: domain, Held: []string{domain},
		Service: name(backend, "svc"), Port: 80,
	}
}

// Service returns the i-th Service.
func (s Set) Service(i int) *object.Service {
	return &object.Service{Key: key(i, "svc"), Ports: []object.ServicePort{{Name: "http", Port: 80}}}
}

// Slice returns the endpoints of the i-th Service.
func (s Set) Slice(i int, addresses ...string) *object.Slice {
	slice := &object.Slice{
		Key: key(i, "svc-x"), Service: name(i, "svc"), AddressType: "IPv4",
		Ports: []object.SlicePort{{Name: "http", Port: s.Port}},
	}
	for _, a := range addresses {
		slice.Endpoints = append(slice.Endpoints, object.Endpoint{Address: a, Ready: true, Zone: "eu-central-1a"})
	}
	return slice
}

// Address returns that of the endpoint of the i-th Service.
func (s Set) Address(i int) string {
	if len(s.Addresses) > 0 {
		return s.Addresses[i%len(s.Addresses)]
	}
	return fmt.Sprintf("10.%d.%d.%d", i/250/250%250, i/250%250, i%250+1)
}

// Turning returns how many sites turn between two Services.
func (s Set) Turning() int { return min(s.N/perNamespace, maxTurning) }

// maxTurning bounds what the floor keeps ready.
const maxTurning = 10

// Turn returns the k-th change of a route, k from 0: a site that turns to its
// other Service. One route and nothing else changes.
func (s Set) Turn(k int) *object.Site {
	i := s.turning(k)
	return s.site(i, Domain(i), s.TurnsTo(k))
}

// TurnsTo returns the Service to which the k-th change leads: in the first round
// each site turns to the other one, in the second back.
func (s Set) TurnsTo(k int) int { return s.turning(k) + 1 - k/s.Turning()%2 }

// turning spreads the sites that turn over all.
func (s Set) turning(k int) int {
	stride := s.N / perNamespace / s.Turning()
	return k % s.Turning() * stride * perNamespace
}

// Move returns the k-th change of endpoints: a pod that is replaced by one with
// a new address, which is MoveMarker(k).
func (s Set) Move(k int) *object.Slice {
	return s.Slice(s.plain(k), MoveMarker(k))
}

// Rename returns the k-th change of a domain, which is RenameMarker(k).
func (s Set) Rename(k int) *object.Site {
	i := s.plain(k)
	return s.site(i, RenameMarker(k), i)
}

// MoveMarker and RenameMarker are texts that the k-th such change and no other
// brings to a proxy.
func MoveMarker(k int) string   { return fmt.Sprintf("172.%d.%d.%d", 16+k/250/250, k/250%250, k%250+1) }
func RenameMarker(k int) string { return fmt.Sprintf("renamed-%07d.docs.example.com", k) }

// plain returns a site that shares nothing, another one each time for as long as
// there are any.
func (s Set) plain(k int) int {
	const plain = perNamespace - 3
	k = k * 31 % (s.N / perNamespace * plain) // neighbours in time are not neighbours in the tables
	return k/plain*perNamespace + 3 + k%plain
}

// Clusters returns the names of all clusters.
func (s Set) Clusters() []string {
	names := make([]string, 0, s.N)
	for i := range s.N {
		if i%perNamespace != 2 {
			names = append(names, namespace(i)+"_"+name(i, "svc")+"_80_cluster")
		}
	}
	return names
}

// Domain returns the domain of the i-th site.
func Domain(i int) string { return fmt.Sprintf("site-%d.docs.example.com", i) }

func namespace(i int) string { return fmt.Sprintf("team-%d", i/perNamespace) }

func name(i int, suffix string) string { return fmt.Sprintf("handbook-%d-%s", i, suffix) }

func key(i int, suffix string) object.Key {
	return object.Key{Namespace: namespace(i), Name: name(i, suffix)}
}
