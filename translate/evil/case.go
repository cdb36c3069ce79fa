package evil

import (
	"strings"

	. "my-company.com/staticsite-operator/object"
)

// Case is one way to be evil. What it puts takes the place of what Healthy has,
// or comes beside it.
type Case struct {
	Name string
	Put  []Object
	Gone []Ref // of Healthy's

	// What the status of the site must say: in which condition (Accepted or
	// ResolvedRefs), and the words, the field and the remedy among them. No
	// condition: nothing is wrong with the site, the evil is ignored.
	Condition string
	Says      []string
	DNS       bool // it says so in upstreams dns only
}

// Tenant is the evil tenant's namespace. It may have others whose names begin with it.
const Tenant = "evil"

// Domain is what Healthy's site is served at.
const Domain = "evil.example.com"

// Victim is a good tenant whom some cases are aimed at. Its namespace has a site
// main at VictimDomain, and a Service web.
const (
	Victim       = "victim"
	VictimDomain = "victim.example.com"
)

// Healthy is what the evil tenant has before and after a case: a site that is
// served from an endpoint, host:port.
func Healthy(address string, port int32) []Object {
	return []Object{
		site(Domain),
		service(ServicePort{Port: 80}),
		&Slice{Key: key("web-1"), Service: "web", AddressType: "IPv4", Ports: []SlicePort{{Port: port}}, Endpoints: []Endpoint{{Address: address, Ready: true}}},
	}
}

// Site is whose status a case is about.
func (c *Case) Site() Key {
	for _, o := range c.Put {
		if s, ok := o.(*Site); ok {
			return s.Key
		}
	}
	return key("main")
}

// Changes applies the case to healthy objects.
func (c *Case) Changes() map[Ref]Object {
	changes := make(map[Ref]Object)
	for _, ref := range c.Gone {
		changes[ref] = nil
	}
	for _, o := range c.Put {
		changes[o.Ref()] = o
	}
	return changes
}

// Mend undoes the case.
func (c *Case) Mend(healthy []Object) map[Ref]Object {
	changes := c.Changes()
	for ref := range changes {
		changes[ref] = nil
	}
	for _, o := range healthy {
		if _, changed := changes[o.Ref()]; changed {
			changes[o.Ref()] = o
		}
	}
	return changes
}

// Cases are all of them, each with a name of its own.
func Cases() []Case {
	var all []Case
	for part, cases := range map[string][]Case{
		"domain": domains(), "name": names(), "record": records(), "backend": backends(),
		"service": services(), "address": addresses(), "slice": slices(), "feature": features(),
	} {
		for _, c := range cases {
			c.Name = part + ": " + c.Name
			all = append(all, c)
		}
	}
	return sorted(all)
}

func key(name string) Key { return Key{Namespace: Tenant, Name: name} }

// site is Healthy's site with a domain of its own.
func site(domain string) *Site {
	return &Site{Key: key("main"), Generation: 1, Domain: domain, Service: "web", Port: 80, Held: []string{Domain}}
}

// service is Healthy's Service with ports of its own.
func service(ports ...ServicePort) *Service { return &Service{Key: key("web"), Ports: ports} }

// slice is Healthy's slice with endpoints of its own.
func slice(endpoints ...Endpoint) *Slice {
	return &Slice{Key: key("web-1"), Service: "web", AddressType: "IPv4", Ports: []SlicePort{{Port: 8080}}, Endpoints: endpoints}
}

// text is as long as it takes to hurt.
func text(n int) string { return strings.Repeat("x", n) }

const megabyte = 1 << 20
