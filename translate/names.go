package translate

import (
	"strconv"

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
	typeCluster    = typeURL(&clusterv3.Cluster{})
	typeAssignment = typeURL(&endpointv3.ClusterLoadAssignment{})
	typeListener   = typeURL(&listenerv3.Listener{})
	typeScope      = typeURL(&routev3.ScopedRouteConfiguration{})
	typeTable      = typeURL(&routev3.RouteConfiguration{})
)

// typeOrder is the order of types in a Delta: make before break.
var typeOrder = map[string]int{
	typeCluster:    0,
	typeAssignment: 1,
	typeListener:   2,
	typeScope:      3,
	typeTable:      4,
}

func typeURL(m proto.Message) string {
	return "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName())
}

// clusterName is the name of the cluster of one port of a Service. No two ports
// share one: a Service name has no underscore, and neither has a number.
func clusterName(service Key, port int32) string {
	return service.Namespace + "_" + service.Name + "_" + strconv.Itoa(int(port)) + "_cluster"
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
	return &anypb.Any{TypeUrl: typeURL(m), Value: b}
}
