package translate

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/durationpb"
)

// What is the same in every route is the same message, and never modified.
var (
	everyPath = &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}}
	noLimit   = durationpb.New(0)
)

// virtualHost renders the routes of one site.
func virtualHost(s scope, domain string) *routev3.VirtualHost {
	route := &routev3.Route{
		// For the access log. Metadata would be the usual way, and costs a proxy
		// 1.8 KB a site (Envoy 1.40), where a name costs 80 bytes.
		Name:  s.site.String(),
		Match: everyPath,
	}
	host := &routev3.VirtualHost{
		Name:    virtualHostName(s.site),
		Domains: []string{domain},
		Routes:  []*routev3.Route{route},
	}
	if s.placeholder {
		route.Action = &routev3.Route_DirectResponse{DirectResponse: unavailable()}
		route.ResponseHeadersToAdd = uncached()
		return host
	}
	route.Action = &routev3.Route_Route{Route: &routev3.RouteAction{
		ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: clusterName(s.service, s.port)},
		// No limit on the whole: a large download takes what it takes. One that
		// stands still is ended by the listener's idle timeout.
		Timeout: noLimit,
	}}
	host.RetryPolicy = retryPolicy
	return host
}
