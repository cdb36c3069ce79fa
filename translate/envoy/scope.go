package envoy

import (
	"strconv"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// EveryDomain is what a virtual host in a scope answers for: the scope has been
// found by the domain already.
const EveryDomain = "*"

// Scope renders one domain's routes, inlined. There are as many of these as there
// are sites: whatever can be said once for all is in the listener.
func Scope(domain string, host *routev3.VirtualHost) *routev3.ScopedRouteConfiguration {
	return &routev3.ScopedRouteConfiguration{
		Name: domain,
		Key: &routev3.ScopedRouteConfiguration_Key{
			Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{{
				Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: domain},
			}},
		},
		RouteConfiguration: routeConfiguration(domain, host),
	}
}

// RenameRoutes gives a scope's routes the name of the n-th attempt, so that the same
// routes are different bytes (docs/decisions.md, "Other bytes after a refusal").
func RenameRoutes(message proto.Message, n int) proto.Message {
	s := message.(*routev3.ScopedRouteConfiguration)
	s.RouteConfiguration.Name = s.Name + "#" + strconv.Itoa(n)
	return s
}

var no = wrapperspb.Bool(false) // never modified

// routeConfiguration renders virtual hosts with what both layouts have in common.
func routeConfiguration(name string, hosts ...*routev3.VirtualHost) *routev3.RouteConfiguration {
	return &routev3.RouteConfiguration{
		Name:         name,
		VirtualHosts: hosts,
		// One site's missing cluster must not refuse everybody's routes: that site
		// alone answers 503 (docs/decisions.md, "Clusters are not validated in routes").
		ValidateClusters: no,
		// A header rule of a route wins over the same one of its virtual host
		// (docs/decisions.md, "Text of tenants in header values").
		MostSpecificHeaderMutationsWins: true,
	}
}
