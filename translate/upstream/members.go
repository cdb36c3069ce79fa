package upstream

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/envoy"
)

func compareMembers(x, y envoy.Member) int {
	return cmp.Or(strings.Compare(x.Zone, y.Zone), x.Addr.Compare(y.Addr))
}

// maxMembers is how many endpoints of a Service are used, as many as Kubernetes
// keeps in its older Endpoints objects: what one tenant lists must not hold up
// the responses to all.
const maxMembers = 1000

// Members returns the permitted endpoints of a Service's port that are to be
// used, sorted by zone and address: the ready ones, or those that are about to end
// and still answer when none is ready; and of these the ones of the Service's
// primary family, or the others when there are none. Of more than maxMembers those
// with the lowest addresses are taken, so that every proxy and replica takes the
// same.
func (s *Service) Members(port int32, allowed []netip.Prefix) (members []envoy.Member, crowded bool) {
	p, reason, _ := s.Port(port)
	if reason != "" {
		return nil, false
	}
	var ready, draining [2][]envoy.Member // by family, the primary one first
	for _, slice := range s.slices {
		target, found := targetPort(slice, p.Name)
		if !found {
			continue
		}
		for _, e := range slice.Endpoints {
			addr, err := parseEndpoint(e.Address, slice.AddressType, allowed)
			if err != nil {
				continue
			}
			m, family := envoy.Member{Zone: zone(e), Addr: netip.AddrPortFrom(addr, target)}, 0
			if addr.Is4() == s.Object.IPv6 {
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
	for _, some := range [...][]envoy.Member{ready[0], ready[1], draining[0], draining[1]} {
		if len(some) > 0 {
			return uniqueMembers(some)
		}
	}
	return nil, false
}

// zone returns the zone of an endpoint, none if it cannot be one: a node's zone
// is a label's value, and in a proxy it becomes part of the names of metrics.
func zone(e object.Endpoint) string {
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
func uniqueMembers(members []envoy.Member) (unique []envoy.Member, crowded bool) {
	slices.SortFunc(members, func(x, y envoy.Member) int {
		return cmp.Or(x.Addr.Compare(y.Addr), strings.Compare(y.Zone, x.Zone))
	})
	members = slices.CompactFunc(members, func(x, y envoy.Member) bool { return x.Addr == y.Addr })
	if crowded = len(members) > maxMembers; crowded {
		members = slices.Clone(members[:maxMembers])
	}
	slices.SortFunc(members, compareMembers)
	return slices.Clip(members), crowded
}

// targetPort returns the slice's target for the Service port of that name.
func targetPort(s *object.Slice, name string) (uint16, bool) {
	for _, p := range s.Ports {
		if p.Name == name && usable(p) {
			return uint16(p.Port), true
		}
	}
	return 0, false
}

// usable reports whether a proxy can connect to a port. One without a number, or
// with one that cannot be, is passed over as kube-proxy does.
func usable(p object.SlicePort) bool { return isTCP(p.Protocol) && p.Port >= 1 && p.Port <= 65535 }
