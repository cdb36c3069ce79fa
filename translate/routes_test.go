package translate_test

import (
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
)

const (
	clusterType    = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	assignmentType = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
	listenerType   = "type.googleapis.com/envoy.config.listener.v3.Listener"
	scopeType      = "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"
	tableType      = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
)

// usedClusters names the clusters that some route leads to.
func usedClusters(s *state) map[string]bool {
	used := make(map[string]bool)
	for _, r := range s.resources {
		for _, host := range virtualHosts(r.message) {
			for _, route := range host.Routes {
				if c := route.GetRoute().GetCluster(); c != "" {
					used[c] = true
				}
			}
		}
	}
	return used
}

// virtualHosts returns those of a scope or a table, and none of anything else.
func virtualHosts(m proto.Message) []*routev3.VirtualHost {
	switch m := m.(type) {
	case *routev3.ScopedRouteConfiguration:
		return m.RouteConfiguration.VirtualHosts
	case *routev3.RouteConfiguration:
		return m.VirtualHosts
	}
	return nil
}

func short(typ string) string { return typ[strings.LastIndexByte(typ, '.')+1:] }

func routeName(m proto.Message) string {
	return m.(*routev3.ScopedRouteConfiguration).RouteConfiguration.Name
}

func rename(m proto.Message, name string) {
	m.(*routev3.ScopedRouteConfiguration).RouteConfiguration.Name = name
}
