package e2e

import (
	"fmt"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"my-company.com/staticsite-operator/translate"
)

// asStatic renders a whole set of resources, such as the first Delta of a World,
// as a configuration that Envoy can be started or validated with by itself,
// without anything to stream from. What would come over the stream is inlined.
//
// It fails if the listener is not one of ours.
func asStatic(resources []translate.Resource) (*bootstrapv3.Bootstrap, error) {
	var (
		listeners   []*listenerv3.Listener
		clusters    []*clusterv3.Cluster
		scopes      []*routev3.ScopedRouteConfiguration
		routes      = &routev3.RouteConfiguration{}
		assignments = make(map[string]*endpointv3.ClusterLoadAssignment)
	)
	for _, r := range resources {
		switch m := r.Message.(type) {
		case *listenerv3.Listener:
			listeners = append(listeners, proto.CloneOf(m))
		case *clusterv3.Cluster:
			clusters = append(clusters, proto.CloneOf(m))
		case *endpointv3.ClusterLoadAssignment:
			assignments[m.ClusterName] = m
		case *routev3.ScopedRouteConfiguration:
			scopes = append(scopes, m)
		case *routev3.RouteConfiguration:
			routes = m
		}
	}
	for _, c := range clusters {
		inlineEndpoints(c, assignments)
	}
	for _, l := range listeners {
		if err := inlineRoutes(l, scopes, routes); err != nil {
			return nil, fmt.Errorf("render listener %s as static: %w", l.Name, err)
		}
	}
	return &bootstrapv3.Bootstrap{StaticResources: &bootstrapv3.Bootstrap_StaticResources{
		Listeners: listeners,
		Clusters:  clusters,
	}}, nil
}

func inlineEndpoints(c *clusterv3.Cluster, assignments map[string]*endpointv3.ClusterLoadAssignment) {
	if c.GetType() != clusterv3.Cluster_EDS {
		return
	}
	c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
	c.EdsClusterConfig = nil
	c.LoadAssignment = assignments[c.Name]
}

func inlineRoutes(l *listenerv3.Listener, scopes []*routev3.ScopedRouteConfiguration, routes *routev3.RouteConfiguration) error {
	for _, chain := range l.FilterChains {
		for _, filter := range chain.Filters {
			m := new(hcmv3.HttpConnectionManager)
			if err := filter.GetTypedConfig().UnmarshalTo(m); err != nil {
				return err
			}
			if scoped := m.GetScopedRoutes(); scoped != nil && len(scopes) > 0 {
				scoped.ConfigSpecifier = &hcmv3.ScopedRoutes_ScopedRouteConfigurationsList{
					ScopedRouteConfigurationsList: &hcmv3.ScopedRouteConfigurationsList{ScopedRouteConfigurations: scopes},
				}
			} else { // A static list of no scopes is refused; no routes are the same.
				m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: routes}
			}
			config, err := anypb.New(m)
			if err != nil {
				return err
			}
			filter.ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: config}
		}
	}
	return nil
}
