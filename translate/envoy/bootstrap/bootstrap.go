package bootstrap

import (
	"net/netip"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	caresv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/network/dns_resolver/cares/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"my-company.com/staticsite-operator/translate/envoy"
)

// Options says what an Envoy is to be started with.
type Options struct {
	XDSHost  string   // our server's host name or IP address
	XDSPort  uint32   // its ADS port
	Protocol Protocol // empty means delta
	TLS      *TLS     // nil: plaintext

	NodeID      string // empty: given by --service-node on Envoy's command line
	NodeCluster string // empty: given by --service-cluster
	Region      string // of the proxy, may be empty
	Zone        string // of the proxy, may be empty

	AdminPort      uint32 // on loopback; 0: no admin interface
	MaxConnections uint32 // from clients, of one proxy in all; 0: no limit

	// DNSResolvers are asked instead of the machine's own.
	DNSResolvers []netip.AddrPort
}

// Protocol is a variant of xDS.
type Protocol string

// The variants.
const (
	ProtocolDelta Protocol = "delta" // what changed
	ProtocolSotw  Protocol = "sotw"  // state of the world: the first design's
)

// xdsClusterName is the cluster of our server in the bootstrap.
const xdsClusterName = "xds_cluster"

// How a proxy notices that our server, or the way to it, is gone.
const (
	xdsConnectTimeout = 5 * time.Second
	pingInterval      = 30 * time.Second // not more often than the server permits (rule 71)
	pingTimeout       = 5 * time.Second
	probeAfterSeconds = 30
	probeEverySeconds = 5
	probes            = 3
)

// Bounds of one DNS look-up. One name that is never answered would else hold up
// the start of a proxy for 50 seconds (docs/decisions.md, "Endpoints are pushed").
const (
	dnsQuerySeconds = 1
	dnsQueryTries   = 2
)

// Render renders what an Envoy is started with: where our server is, and
// what cannot be streamed.
func Render(o Options) *bootstrapv3.Bootstrap {
	return &bootstrapv3.Bootstrap{
		Node:  node(o),
		Admin: admin(o.AdminPort),
		DynamicResources: &bootstrapv3.Bootstrap_DynamicResources{
			AdsConfig: adsConfig(o.Protocol),
			CdsConfig: envoy.AwaitedOverADS(),
			LdsConfig: envoy.AwaitedOverADS(),
		},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{Clusters: []*clusterv3.Cluster{xdsCluster(o)}},
		// A cluster a site, and most sites are quiet: what a cluster costs is paid
		// with its first request (docs/decisions.md, "Deferred clusters and stats").
		ClusterManager:         &bootstrapv3.ClusterManager{EnableDeferredClusterCreation: true},
		DeferredStatOptions:    &bootstrapv3.Bootstrap_DeferredStatOptions{EnableDeferredCreationStats: true},
		TypedDnsResolverConfig: dnsResolver(o.DNSResolvers),
		OverloadManager:        overload(o.MaxConnections),
		LayeredRuntime:         runtime(),
	}
}

// maxResponseHeaders is how many headers a backend's response may have. Envoy's own
// limit is 100: a page with more preload links or cookies is tried three times
// and becomes a 502.
const maxResponseHeaders = 1000

// runtime renders what can be said by Envoy's runtime alone or, in each cluster
// again, at a cost a site. The layer admin is there by default, unless any layer is
// named.
func runtime() *bootstrapv3.LayeredRuntime {
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{
		{Name: "limits", LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: &structpb.Struct{Fields: map[string]*structpb.Value{
			"envoy.reloadable_features.max_response_headers_count": structpb.NewNumberValue(maxResponseHeaders),
		}}}},
		{Name: "admin", LayerSpecifier: &bootstrapv3.RuntimeLayer_AdminLayer_{AdminLayer: &bootstrapv3.RuntimeLayer_AdminLayer{}}},
	}}
}

func node(o Options) *corev3.Node {
	n := &corev3.Node{Id: o.NodeID, Cluster: o.NodeCluster}
	if o.Region != "" || o.Zone != "" {
		n.Locality = &corev3.Locality{Region: o.Region, Zone: o.Zone}
	}
	return n
}

func admin(port uint32) *bootstrapv3.Admin {
	if port == 0 {
		return nil
	}
	return &bootstrapv3.Admin{Address: envoy.SocketAddress("127.0.0.1", port)}
}

func adsConfig(p Protocol) *corev3.ApiConfigSource {
	api := corev3.ApiConfigSource_DELTA_GRPC
	if p == ProtocolSotw {
		api = corev3.ApiConfigSource_GRPC
	}
	return &corev3.ApiConfigSource{
		ApiType:                   api,
		TransportApiVersion:       corev3.ApiVersion_V3,
		SetNodeOnFirstMessageOnly: true,
		GrpcServices: []*corev3.GrpcService{{
			TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{
				ClusterName: xdsClusterName,
				// Pods move while no server answers. Unless told otherwise a proxy
				// waits up to 30 s before it asks again.
				RetryPolicy: &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
					BaseInterval: durationpb.New(500 * time.Millisecond), MaxInterval: durationpb.New(5 * time.Second),
				}},
			}},
		}},
	}
}

// xdsCluster renders the way to our server. It is the one cluster that a proxy
// cannot be told of later.
func xdsCluster(o Options) *clusterv3.Cluster {
	host, port := o.XDSHost, o.XDSPort
	discovery := clusterv3.Cluster_STRICT_DNS
	if _, err := netip.ParseAddr(host); err == nil {
		discovery = clusterv3.Cluster_STATIC
	}
	return &clusterv3.Cluster{
		Name:                 xdsClusterName,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: discovery},
		ConnectTimeout:       durationpb.New(xdsConnectTimeout),
		TransportSocket:      o.TLS.transportSocket(),
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: xdsClusterName,
			Endpoints:   []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{envoy.LBEndpoint(host, port)}}},
		},
		TypedExtensionProtocolOptions: map[string]*anypb.Any{envoy.HTTPProtocolOptions: envoy.Pack(&upstreamhttpv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_{
				ExplicitHttpConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
						Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
							ConnectionKeepalive: &corev3.KeepaliveSettings{
								Interval: durationpb.New(pingInterval),
								Timeout:  durationpb.New(pingTimeout),
							},
						},
					},
				},
			},
		})},
		UpstreamConnectionOptions: &clusterv3.UpstreamConnectionOptions{TcpKeepalive: &corev3.TcpKeepalive{
			KeepaliveTime:     wrapperspb.UInt32(probeAfterSeconds),
			KeepaliveInterval: wrapperspb.UInt32(probeEverySeconds),
			KeepaliveProbes:   wrapperspb.UInt32(probes),
		}},
	}
}

func dnsResolver(servers []netip.AddrPort) *corev3.TypedExtensionConfig {
	cares := &caresv3.CaresDnsResolverConfig{
		QueryTimeoutSeconds: wrapperspb.UInt64(dnsQuerySeconds),
		QueryTries:          wrapperspb.UInt32(dnsQueryTries),
	}
	for _, s := range servers {
		cares.Resolvers = append(cares.Resolvers, envoy.SocketAddress(s.Addr().String(), uint32(s.Port())))
	}
	return &corev3.TypedExtensionConfig{Name: "envoy.network.dns_resolver.cares", TypedConfig: envoy.Pack(cares)}
}

// overload renders the limit on connections from clients: beyond it a proxy
// closes new ones at once, instead of dying with all of them.
func overload(maxConnections uint32) *overloadv3.OverloadManager {
	if maxConnections == 0 {
		return nil
	}
	return &overloadv3.OverloadManager{ResourceMonitors: []*overloadv3.ResourceMonitor{{
		Name: "envoy.resource_monitors.global_downstream_max_connections",
		ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: envoy.Pack(&connectionsv3.DownstreamConnectionsConfig{
			MaxActiveDownstreamConnections: int64(maxConnections),
		})},
	}}}
}
