package e2e

import (
	"fmt"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/evil"
	"my-company.com/staticsite-operator/xds"
)

// A tampering makes of one resource of the evil tenant what the proxy refuses,
// after all checks of ours.
type tampering struct {
	name     string
	resource xds.ResourceName
	change   func(healthy []object.Object) []object.Object // what makes us send it
	spoil    func(proto.Message)
	says     string // the proxy
}

func tamperings() []tampering {
	others := 0
	inScope := func(name, says string, spoil func(*routev3.ScopedRouteConfiguration, *routev3.VirtualHost)) tampering {
		others++ // each moves to a Service of its own: what was refused once is not sent again
		return tampering{name, xds.ResourceName{Type: xds.ScopedRoute, Name: evil.Domain}, onto(fmt.Sprint("other-", others)), func(m proto.Message) {
			scope := m.(*routev3.ScopedRouteConfiguration)
			spoil(scope, scope.RouteConfiguration.VirtualHosts[0])
		}, says}
	}
	inCluster := func(name, says string, spoil func(proto.Message)) tampering {
		others++
		service := fmt.Sprint("other-", others)
		return tampering{name, xds.ResourceName{Type: xds.Cluster, Name: "evil_" + service + "_80_cluster"}, onto(service), spoil, says}
	}
	inEndpoints := func(name string, spoil func(*endpointv3.LbEndpoint, *corev3.SocketAddress)) tampering {
		return tampering{name, xds.ResourceName{Type: xds.Endpoint, Name: "evil_web_80_cluster"}, inAnotherZone, func(m proto.Message) {
			endpoint := m.(*endpointv3.ClusterLoadAssignment).Endpoints[0].LbEndpoints[0]
			spoil(endpoint, endpoint.GetEndpoint().Address.GetSocketAddress())
		}, ""}
	}
	header := func(name, value string) []*corev3.HeaderValueOption {
		return []*corev3.HeaderValueOption{{Header: &corev3.HeaderValue{Key: name, Value: value}}}
	}
	return []tampering{
		inScope("an invalid regular expression", "missing ]", func(s *routev3.ScopedRouteConfiguration, _ *routev3.VirtualHost) { badRegex(s) }),
		inScope("the victim's key", evil.VictimDomain, func(s *routev3.ScopedRouteConfiguration, _ *routev3.VirtualHost) { keyOf(evil.VictimDomain)(s) }),
		inScope("no name of its routes' host", "VirtualHostValidationError.Name", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) { h.Name = "" }),
		inScope("a domain twice", "unique", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			h.Domains = []string{"a.example.com", "A.example.com"}
		}),
		inScope("two hosts for everything", "wildcard", func(s *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			s.RouteConfiguration.VirtualHosts = append(s.RouteConfiguration.VirtualHosts, proto.CloneOf(h))
		}),
		inScope("a format operator that does not exist", "NO_SUCH", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			h.ResponseHeadersToAdd = header("x-evil", "%NO_SUCH_OPERATOR%")
		}),
		inScope("a lone percent sign", "%", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			h.ResponseHeadersToAdd = header("x-evil", "100%")
		}),
		inScope("a header of the request's own", "host", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			h.RequestHeadersToAdd = header(":authority", evil.VictimDomain)
		}),
		inScope("a header after CRLF", "HeaderValueValidationError", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			h.ResponseHeadersToAdd = header("x-evil", "a\r\nset-cookie: b")
		}),
		inScope("a page that is too large", "bytes", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			h.Routes[0].Action = &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: 200, Body: &corev3.DataSource{
				Specifier: &corev3.DataSource_InlineString{InlineString: strings.Repeat("x", 1<<20)},
			}}}
		}),
		inScope("a page from the proxy's disk that is not there", "/no/such", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			h.Routes[0].Action = &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: 200, Body: &corev3.DataSource{
				Specifier: &corev3.DataSource_Filename{Filename: "/no/such/file"},
			}}}
		}),
		inScope("an extension that does not exist", "no.such", func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			h.TypedPerFilterConfig = map[string]*anypb.Any{"no.such.filter": {TypeUrl: "type.googleapis.com/no.such.Type"}}
		}),
		inScope("a cluster that does not exist, to be checked", "no_such_cluster", func(s *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) {
			s.RouteConfiguration.ValidateClusters = wrapperspb.Bool(true)
			h.Routes[0].GetRoute().ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: "no_such_cluster"}
		}),
		inScope("a route without an action", `field: "action", reason: is required`, func(_ *routev3.ScopedRouteConfiguration, h *routev3.VirtualHost) { h.Routes[0].Action = nil }),
		inCluster("a ring larger than it may be", "minimum_ring_size", badRing),
		inCluster("an extension that does not exist", "no.such", func(m proto.Message) {
			m.(*clusterv3.Cluster).TypedExtensionProtocolOptions = map[string]*anypb.Any{"no.such.protocol": {TypeUrl: "type.googleapis.com/no.such.Type"}}
		}),
		inEndpoints("a host name for an address", func(_ *endpointv3.LbEndpoint, a *corev3.SocketAddress) { a.Address = "metadata.google.internal" }),
		inEndpoints("a port above all", func(_ *endpointv3.LbEndpoint, a *corev3.SocketAddress) {
			a.PortSpecifier = &corev3.SocketAddress_PortValue{PortValue: 1 << 20}
		}),
		inEndpoints("no address", func(e *endpointv3.LbEndpoint, _ *corev3.SocketAddress) { e.HostIdentifier = nil }),
	}
}

// onto moves the evil site to another Service of the same pod.
func onto(service string) func(healthy []object.Object) []object.Object {
	return func(healthy []object.Object) []object.Object {
		site, slice := *healthy[0].(*object.Site), *healthy[2].(*object.Slice)
		site.Service, slice.Service, slice.Name = service, service, service+"-1"
		return []object.Object{&site, &slice,
			&object.Service{Key: object.Key{Namespace: evil.Tenant, Name: service}, Ports: []object.ServicePort{{Port: 80}}}}
	}
}

// inAnotherZone moves the evil site's pod to another zone.
func inAnotherZone(healthy []object.Object) []object.Object {
	slice := *healthy[2].(*object.Slice)
	slice.Endpoints = []object.Endpoint{{Address: slice.Endpoints[0].Address, Ready: true, Zone: "zone-2"}}
	return []object.Object{&slice}
}
