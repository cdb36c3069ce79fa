package e2e

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	grpcxds "google.golang.org/grpc/xds"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/proc"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// TestIndependentClient has grpc-go's own xDS client, which shares no line with
// Envoy's, be served by us: it asks for everything by name, state of the world. It
// knows no scoped routes and needs an api_listener, so what it is served is
// published by hand.
func TestIndependentClient(t *testing.T) {
	ctx := bounded(t, time.Minute)
	p := newPublisher(t, "")
	first, second := startGRPC(t, 1), startGRPC(t, 2)
	p.sendMessages(t, apiListener(t, "api", "api-routes"), apiRoutes("api-routes", "api-cluster"),
		apiCluster("api-cluster"), apiEndpoints(t, "api-cluster", first))

	resolver, err := grpcxds.NewXDSResolverWithConfigForTesting(fmt.Appendf(nil, `{
		"xds_servers": [{"server_uri": %q, "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
		"node": {"id": "grpc-go"}
	}`, p.address))
	must(t, err)
	conn, err := grpc.NewClient("xds:///api", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithResolvers(resolver))
	must(t, err)
	t.Cleanup(func() { must(t, conn.Close()) })
	must(t, awaitServer(ctx, conn, first))

	// Endpoints, and nothing else.
	p.sendMessages(t, apiEndpoints(t, "api-cluster", second))
	must(t, awaitServer(ctx, conn, second))

	// Another cluster, and with it its endpoints: the routes lead there.
	p.sendMessages(t, apiCluster("other"), apiEndpoints(t, "other", first), apiRoutes("api-routes", "other"))
	must(t, awaitServer(ctx, conn, first))

	// Our server starts again.
	p.stop()
	p.serve(t)
	p.sendMessages(t, apiListener(t, "api", "api-routes"), apiRoutes("api-routes", "other"), apiCluster("other"), apiEndpoints(t, "other", second))
	must(t, awaitServer(ctx, conn, second))
	for id, state := range p.states() {
		if len(state.Exceptions) > 0 {
			t.Errorf("stream %d refused %v", id, state.Exceptions)
		}
	}
}

// startGRPC starts a gRPC server on the n-th address and returns its own.
func startGRPC(t *testing.T, n int) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(netns.Addr(n), "0"))
	must(t, err)
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(listener) //nolint:errcheck // always ends with ErrServerStopped, by Stop
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return listener.Addr().String()
}

// awaitServer calls until a server answers.
func awaitServer(ctx context.Context, conn *grpc.ClientConn, address string) error {
	client := healthpb.NewHealthClient(conn)
	return proc.Poll(ctx, func(ctx context.Context) error {
		var from peer.Peer
		if _, err := client.Check(ctx, &healthpb.HealthCheckRequest{}, grpc.Peer(&from)); err != nil {
			return err
		}
		if from.Addr.String() != address {
			return fmt.Errorf("%s answers, want %s", from.Addr, address)
		}
		return nil
	})
}

// sendMessages publishes resources.
func (p *publisher) sendMessages(t *testing.T, messages ...proto.Message) {
	t.Helper()
	var resources []translate.Resource
	for _, m := range messages {
		url := "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName())
		typ, ok := xds.TypeByURL(url)
		if !ok {
			t.Fatalf("%s is not served", url)
		}
		resource, err := xds.NewResource(typ, m)
		must(t, err)
		resources = append(resources, translate.Resource{Type: url, Name: resource.Name, Message: m})
	}
	p.send(t, resources)
}

func apiListener(t *testing.T, name, routes string) proto.Message {
	t.Helper()
	return &listenerv3.Listener{Name: name, ApiListener: &listenerv3.ApiListener{ApiListener: packed(t, &hcmv3.HttpConnectionManager{
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{RouteConfigName: routes, ConfigSource: overADS()}},
		HttpFilters: []*hcmv3.HttpFilter{{
			Name: "router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: packed(t, &routerv3.Router{})},
		}},
	})}}
}

func apiRoutes(name, cluster string) proto.Message {
	return &routev3.RouteConfiguration{Name: name, VirtualHosts: []*routev3.VirtualHost{{
		Name: "all", Domains: []string{"*"},
		Routes: []*routev3.Route{{
			Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: ""}},
			Action: &routev3.Route_Route{Route: &routev3.RouteAction{
				ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: cluster},
			}},
		}},
	}}}
}

func apiCluster(name string) proto.Message {
	return &clusterv3.Cluster{
		Name:                 name,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig:     &clusterv3.Cluster_EdsClusterConfig{EdsConfig: overADS()},
	}
}

func apiEndpoints(t *testing.T, cluster, address string) proto.Message {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	must(t, err)
	n, err := strconv.ParseUint(port, 10, 16)
	must(t, err)
	return &endpointv3.ClusterLoadAssignment{ClusterName: cluster, Endpoints: []*endpointv3.LocalityLbEndpoints{{
		Locality:            &corev3.Locality{Zone: "here"}, // grpc-go wants one, and a weight
		LoadBalancingWeight: wrapperspb.UInt32(1),
		LbEndpoints: []*endpointv3.LbEndpoint{{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{
			Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
				Address: host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(n)},
			}}},
		}}}},
	}}}
}

func overADS() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
	}
}

func packed(t *testing.T, m proto.Message) *anypb.Any {
	t.Helper()
	a, err := anypb.New(m)
	must(t, err)
	return a
}
