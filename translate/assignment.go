package translate

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
)

// A member is one endpoint of a cluster.
type member struct {
	zone string
	addr netip.AddrPort
}

func compareMembers(x, y member) int {
	return cmp.Or(strings.Compare(x.zone, y.zone), x.addr.Compare(y.addr))
}

// maxMembers is how many endpoints of a Service are used, as many as Kubernetes
// keeps in its older Endpoints objects: what one tenant lists must not hold up
// the responses to all.
const maxMembers = 1000

// members returns the permitted endpoints of a Service's port that are to be
// used, sorted by zone and address: the ready ones, or those that are about to end
// and still answer when none is ready; and of these the ones of the Service's
// primary family, or the others when there are none. Of more than maxMembers those
// with the lowest addresses are taken, so that every proxy and replica takes the
// same.
func (be *backend) members(port int32, allowed []netip.Prefix) (members []member, crowded bool) {
	p, reason, _ := be.port(port)
	if reason != "" {
		return nil, false
	}
	var ready, draining [2][]member // by family, the primary one first
	for _, slice := range be.slices {
		target, found := targetPort(slice, p.Name)
		if !found {
			continue
		}
		for _, e := range slice.Endpoints {
			addr, err := parseEndpoint(e.Address, slice.AddressType, allowed)
			if err != nil {
				continue
			}
			m, family := member{zone(e), netip.AddrPortFrom(addr, target)}, 0
			if addr.Is4() == be.service.IPv6 {
				family = 1
			}
			switch {
			case e.Ready:
				ready[family] = append(ready[family], m)
			case e.Draining:
				draining[family] = append(draining[family], m)
			}
		}
	}
	for _, some := range [...][]member{ready[0], ready[1], draining[0], draining[1]} {
		if len(some) > 0 {
			return uniqueMembers(some)
		}
	}
	return nil, false
}

// zone returns the zone of an endpoint, none if it cannot be one: a node's zone
// is a label's value, and in a proxy it becomes part of the names of metrics.
func zone(e Endpoint) string {
	if len(e.Zone) > 63 || strings.ContainsFunc(e.Zone, notInLabelValue) {
		return ""
	}
	return e.Zone
}

func notInLabelValue(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
}

// uniqueMembers sorts, leaves each address once, and not too many: a pod can be in two slices
// while Kubernetes moves it. Of two zones the last counts, which is a named one
// if there is any.
func uniqueMembers(members []member) (unique []member, crowded bool) {
	slices.SortFunc(members, func(x, y member) int {
		return cmp.Or(x.addr.Compare(y.addr), strings.Compare(y.zone, x.zone))
	})
	members = slices.CompactFunc(members, func(x, y member) bool { return x.addr == y.addr })
	if crowded = len(members) > maxMembers; crowded {
		members = slices.Clone(members[:maxMembers])
	}
	slices.SortFunc(members, compareMembers)
	return slices.Clip(members), crowded
}

// targetPort returns the slice's target for the Service port of that name.
func targetPort(s *Slice, name string) (uint16, bool) {
	for _, p := range s.Ports {
		if p.Name == name && usable(p) {
			return uint16(p.Port), true
		}
	}
	return 0, false
}

// usable reports whether a proxy can connect to a port. One without a number, or
// with one that cannot be, is passed over as kube-proxy does.
func usable(p SlicePort) bool { return isTCP(p.Protocol) && p.Port >= 1 && p.Port <= 65535 }

// assignment renders sorted members, zone by zone. A cluster without any still
// has an assignment: the proxy answers 503 instead of waiting for one.
func assignment(cluster string, members []member) *endpointv3.ClusterLoadAssignment {
	a := &endpointv3.ClusterLoadAssignment{ClusterName: cluster}
	for i, m := range members {
		if i == 0 || members[i-1].zone != m.zone {
			a.Endpoints = append(a.Endpoints, &endpointv3.LocalityLbEndpoints{Locality: locality(m.zone)})
		}
		last := a.Endpoints[len(a.Endpoints)-1]
		last.LbEndpoints = append(last.LbEndpoints, lbEndpoint(m.addr.Addr().String(), uint32(m.addr.Port())))
	}
	return a
}

func locality(zone string) *corev3.Locality {
	if zone == "" {
		return nil
	}
	return &corev3.Locality{Zone: zone}
}

func lbEndpoint(host string, port uint32) *endpointv3.LbEndpoint {
	return &endpointv3.LbEndpoint{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{
		Endpoint: &endpointv3.Endpoint{Address: socketAddress(host, port)},
	}}
}

func socketAddress(host string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}
