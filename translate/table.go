package translate

import (
	"maps"
	"slices"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// table renders the one route configuration of layout single. The virtual hosts
// are shared with the tables before and after it, and never modified.
func table(byDomain map[string]*routev3.VirtualHost) *routev3.RouteConfiguration {
	hosts := make([]*routev3.VirtualHost, 0, len(byDomain))
	for _, domain := range slices.Sorted(maps.Keys(byDomain)) {
		hosts = append(hosts, byDomain[domain])
	}
	routes := routeConfiguration(tableName, hosts...)
	routes.IgnorePortInHostMatching = true
	return routes
}

// tableNeeds returns the clusters that some virtual host leads to.
func (b *batch) tableNeeds() []string {
	needs := make(map[string]bool, len(b.w.table))
	domains := b.w.claims.Domains()
	for name := range b.w.table {
		for _, cluster := range b.needsOf(domains[name].Served) {
			needs[cluster] = true
		}
	}
	return slices.Sorted(maps.Keys(needs))
}
