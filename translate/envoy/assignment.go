package envoy

import (
	"net/netip"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
)

// A Member is one endpoint of a cluster.
type Member struct {
	Zone string // of the topology, may be empty
	Addr netip.AddrPort
}

// Assignment renders sorted members, zone by zone. A cluster without any still
// has an assignment: the proxy answers 503 instead of waiting for one.
func Assignment(cluster string, members []Member) *endpointv3.ClusterLoadAssignment {
	a := &endpointv3.ClusterLoadAssignment{ClusterName: cluster}
	for i, m := range members {
		if i == 0 || members[i-1].Zone != m.Zone {
			a.Endpoints = append(a.Endpoints, &endpointv3.LocalityLbEndpoints{Locality: locality(m.Zone)})
		}
		last := a.Endpoints[len(a.Endpoints)-1]
		last.LbEndpoints = append(last.LbEndpoints, LBEndpoint(m.Addr.Addr().String(), uint32(m.Addr.Port())))
	}
	return a
}

func locality(zone string) *corev3.Locality {
	if zone == "" {
		return nil
	}
	return &corev3.Locality{Zone: zone}
}

// LBEndpoint renders one endpoint.
func LBEndpoint(host string, port uint32) *endpointv3.LbEndpoint {
	return &endpointv3.LbEndpoint{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{
		Endpoint: &endpointv3.Endpoint{Address: SocketAddress(host, port)},
	}}
}

// SocketAddress renders a host name or IP address, and a port.
func SocketAddress(host string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}
