package envoy

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"my-company.com/staticsite-operator/object"
)

// What is the same in every route is the same message, and never modified.
var (
	everyPath = &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}}
	noLimit   = durationpb.New(0)
)

// VirtualHost renders the routes of one site, which all lead to one cluster. Domains
// is one domain in layout single, and * where the site's scope says which it is.
func VirtualHost(site object.Key, domains, cluster string) *routev3.VirtualHost {
	host, route := virtualHost(site, domains)
	route.Action = &routev3.Route_Route{Route: &routev3.RouteAction{
		ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: cluster},
		// No limit on the whole: a large download takes what it takes. One that
		// stands still is ended by the listener's idle timeout.
		Timeout: noLimit,
	}}
	host.RetryPolicy = retryPolicy
	return host
}

// Unavailable renders a virtual host for a site of which no backend is known: it
// answers 503 with a page.
func Unavailable(site object.Key, domains string) *routev3.VirtualHost {
	host, route := virtualHost(site, domains)
	route.Action = &routev3.Route_DirectResponse{DirectResponse: unavailable()}
	route.ResponseHeadersToAdd = Uncached()
	return host
}

func virtualHost(site object.Key, domains string) (*routev3.VirtualHost, *routev3.Route) {
	route := &routev3.Route{
		// For the access log. Metadata would be the usual way, and costs a proxy
		// 1.8 KB a site (Envoy 1.40), where a name costs 80 bytes.
		Name:  site.String(),
		Match: everyPath,
	}
	return &routev3.VirtualHost{
		Name:    virtualHostName(site),
		Domains: []string{domains},
		Routes:  []*routev3.Route{route},
	}, route
}
