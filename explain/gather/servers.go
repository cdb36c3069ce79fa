package gather

import (
	"context"
	"slices"

	"my-company.com/staticsite-operator/explain"
	"my-company.com/staticsite-operator/translate"
)

// fromServers asks every server for the routes of the domain, and then for the
// cluster that these lead to: what a proxy has may differ from what it should.
func fromServers(ctx context.Context, facts *explain.Facts) {
	domain := facts.Domain()
	if domain == "" {
		return
	}
	for i := range facts.Servers {
		server := &facts.Servers[i]
		proxies, err := ClientStatus(ctx, server.Address, translate.RouteNames(domain))
		if err != nil {
			server.Error = err.Error()
			continue
		}
		facts.Proxies = append(facts.Proxies, proxies...)
	}
	clusters := facts.Clusters()
	if len(clusters) == 0 {
		return
	}
	for i := range facts.Servers {
		server := &facts.Servers[i]
		if server.Error != "" {
			continue
		}
		proxies, err := ClientStatus(ctx, server.Address, clusters)
		if err != nil {
			server.Error = err.Error()
			continue
		}
		for _, p := range proxies {
			same := func(o explain.Proxy) bool { return o.Server == p.Server && o.Address == p.Address && o.Node == p.Node }
			if i := slices.IndexFunc(facts.Proxies, same); i >= 0 {
				facts.Proxies[i].Holdings = append(facts.Proxies[i].Holdings, p.Holdings...)
			}
		}
	}
}
