package envoy

import (
	"strconv"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/object"
)

// Names of the resources that no object causes. Resources are named by what they
// are, never by their position (docs/decisions.md, "Names are identities").
const (
	ListenerName = "http_listener"
	TableName    = "dynamic_routes" // the one route configuration of layout single
)

// Type URLs of the resources.
var (
	ClusterType    = TypeURL(&clusterv3.Cluster{})
	AssignmentType = TypeURL(&endpointv3.ClusterLoadAssignment{})
	ListenerType   = TypeURL(&listenerv3.Listener{})
	ScopeType      = TypeURL(&routev3.ScopedRouteConfiguration{})
	TableType      = TypeURL(&routev3.RouteConfiguration{})
)

// ClusterName returns the name of the cluster of one port of a Service. No two ports
// share a name: a Service name has no underscore, and neither has a number.
func ClusterName(service object.Key, port int32) string {
	return service.Namespace + "_" + service.Name + "_" + strconv.Itoa(int(port)) + "_cluster"
}

// ServiceOf is the inverse of ClusterName; ok is false for the name of any other
// cluster.
func ServiceOf(cluster string) (service object.Key, port int32, ok bool) {
	parts := strings.Split(cluster, "_")
	if len(parts) != 4 || parts[3] != "cluster" {
		return object.Key{}, 0, false
	}
	n, err := strconv.ParseInt(parts[2], 10, 32)
	return object.Key{Namespace: parts[0], Name: parts[1]}, int32(n), err == nil
}

// virtualHostName returns the name of a site's virtual host.
func virtualHostName(site object.Key) string {
	return site.Namespace + "_" + site.Name + "_route"
}

// ProxyHeaders is how the names of headers begin that Envoy and we ourselves use, in
// lower case: the sidecar of a backend would take a client's for ours.
var ProxyHeaders = []string{"x-envoy-", "x-edge-"}
