package translate

import (
	"strconv"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Names are identities, never positions (design.md section 5). Those that the
// first design had are the same here.
const (
	listenerName = "http_listener"
	tableName    = "dynamic_routes" // the one route configuration of layout single
	scopesName   = "sites"          // of the connection manager's scoped_routes
)

// Type URLs of the resources.
var (
	typeCluster    = TypeURL(&clusterv3.Cluster{})
	typeAssignment = TypeURL(&endpointv3.ClusterLoadAssignment{})
	typeListener   = TypeURL(&listenerv3.Listener{})
	typeScope      = TypeURL(&routev3.ScopedRouteConfiguration{})
	typeTable      = TypeURL(&routev3.RouteConfiguration{})
)

// typeOrder is the order of types in a Delta: make before break.
var typeOrder = map[string]int{
	typeCluster:    0,
	typeAssignment: 1,
	typeListener:   2,
	typeScope:      3,
	typeTable:      4,
}

// TypeURL is the type URL of a message, "type.googleapis.com/envoy...".
func TypeURL(m proto.Message) string {
	return "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName())
}

// clusterName is the name of the cluster of one port of a Service. No two ports
// share one: a Service name has no underscore, and neither has a number.
func clusterName(service Key, port int32) string {
	return service.Namespace + "_" + service.Name + "_" + strconv.Itoa(int(port)) + "_cluster"
}

// ServiceOf is the inverse of clusterName; ok is false for the name of another
// cluster.
func ServiceOf(cluster string) (service Key, port int32, ok bool) {
	parts := strings.Split(cluster, "_")
	if len(parts) != 4 || parts[3] != "cluster" {
		return Key{}, 0, false
	}
	n, err := strconv.ParseInt(parts[2], 10, 32)
	return Key{Namespace: parts[0], Name: parts[1]}, int32(n), err == nil
}

// virtualHostName is the name of a site's virtual host.
func virtualHostName(site Key) string {
	return site.Namespace + "_" + site.Name + "_route"
}

// pack wraps an extension's configuration. It cannot fail: packing is encoding,
// and all our strings are valid UTF-8.
func pack(m proto.Message) *anypb.Any {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("encode " + string(m.ProtoReflect().Descriptor().FullName()) + ": " + err.Error())
	}
	return &anypb.Any{TypeUrl: TypeURL(m), Value: b}
}
