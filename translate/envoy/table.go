package envoy

import (
	"maps"
	"slices"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// Table renders the one route configuration of layout single. The virtual hosts are
// shared with the tables before and after it, and never modified.
func Table(byDomain map[string]*routev3.VirtualHost) *routev3.RouteConfiguration {
	hosts := make([]*routev3.VirtualHost, 0, len(byDomain))
	for _, domain := range slices.Sorted(maps.Keys(byDomain)) {
		hosts = append(hosts, byDomain[domain])
	}
	routes := routeConfiguration(TableName, hosts...)
	routes.IgnorePortInHostMatching = true
	return routes
}
