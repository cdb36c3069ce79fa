package translate

import (
	"slices"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// How long a proxy tries to connect to a backend.
var (
	podConnectTimeout = durationpb.New(2 * time.Second) // a pod is near: one lost SYN is repeated after 1 s
	dnsConnectTimeout = durationpb.New(5 * time.Second) // the first design's
)

// What is the same in every cluster is the same message, and never modified.
var (
	eds        = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS}
	edsOverADS = &clusterv3.Cluster_EdsClusterConfig{EdsConfig: overADS()}
	breakers   = &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		MaxRetries: wrapperspb.UInt32(1024), // Envoy's default for requests
	}}}
	bufferLimit = wrapperspb.UInt32(bufferBytes)

	// By prior knowledge: there is no TLS in which it could be agreed on. A stream has
	// a small window, for the reason that connections have small buffers. The window
	// of a connection is as large as those of all its streams: else the readers that
	// have stopped reading would stop the others of their site.
	overHTTP2 = map[string]*anypb.Any{
		"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(&httpv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
				ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
						Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
							MaxConcurrentStreams:        wrapperspb.UInt32(podStreams),
							InitialStreamWindowSize:     wrapperspb.UInt32(streamWindow),
							InitialConnectionWindowSize: wrapperspb.UInt32(podStreams * streamWindow),
						},
					},
				},
			},
		}),
	}
)

// podStreams is how many requests a connection to a pod may carry at a time
// (HTTP/2). More of them open another connection.
const podStreams = 100

// buildClusters hands out every marked cluster and its endpoints, or takes them
// back.
func (b *batch) buildClusters() {
	for c := range b.clusters {
		if b.w.opts.Upstreams == UpstreamsDNS {
			b.setCluster(c, c.users > 0 && c.backend.resolve(c.port, UpstreamsDNS).OK)
		} else {
			b.setCluster(c, c.users > 0)
			b.setAssignment(c)
		}
		if c.users == 0 {
			c.backend.clusters = slices.DeleteFunc(c.backend.clusters, func(o *cluster) bool { return o == c })
			b.backends[c.backend] = struct{}{}
		}
	}
}

// A clusterShape is what may differ between two clusters besides their names. Equal
// shapes are equal bytes.
type clusterShape struct {
	target int32 // upstreams dns: the port that a proxy connects to
	http2  bool  // what it speaks there
}

// shapeOf returns the shape that a cluster should have. One whose port does not
// exist, or speaks what no proxy can, has no endpoints, and the usual shape.
func (c *cluster) shapeOf(upstreams Upstreams) (s clusterShape) {
	p, reason, _ := c.backend.port(c.port)
	if reason != "" {
		return s
	}
	s.http2, _ = protocolOf(p.AppProtocol)
	if upstreams == UpstreamsDNS {
		s.target = c.backend.dnsPort(p)
	}
	return s
}

func (b *batch) setCluster(c *cluster, want bool) {
	name, shape := c.needs[0], c.shapeOf(b.w.opts.Upstreams)
	if c.sent == want && (!want || shape == c.shape) {
		return
	}
	if c.sent && want { // The sites have to wait until proxies have it anew.
		for _, s := range c.backend.sites {
			if s.spec.port == c.port {
				b.touched[s] = struct{}{}
			}
		}
	}
	c.sent, c.shape = want, shape
	switch {
	case !want:
		b.remove(typeCluster, name)
	case b.w.opts.Upstreams == UpstreamsDNS:
		b.upsert(Resource{Type: typeCluster, Name: name, Message: dnsCluster(c.backend.key, name, shape)})
	default:
		b.upsert(Resource{Type: typeCluster, Name: name, Message: endpointsCluster(name, shape)})
	}
}

func (b *batch) setAssignment(c *cluster) {
	name := c.needs[0]
	if !c.sent {
		if c.assigned {
			b.remove(typeAssignment, name)
		}
		c.assigned, c.members, c.crowded = false, nil, false
		return
	}
	members, crowded := c.backend.members(c.port, b.w.opts.AllowedEndpoints)
	if crowded != c.crowded || (len(members) == 0) != (len(c.members) == 0) {
		c.crowded = crowded
		for _, s := range c.backend.sites {
			b.sites[s] = struct{}{}
		}
	}
	if c.assigned && slices.Equal(members, c.members) {
		return
	}
	c.assigned, c.members = true, members
	b.upsert(Resource{Type: typeAssignment, Name: name, Message: assignment(name, members)})
}

// endpointsCluster renders a cluster whose endpoints come over ADS.
//
// Its load balancing is round robin, the default. Least request would favour a
// dead pod, which never has a request under way, until Kubernetes notices: with
// one of two dead, 90 of 5,890 requests failed in spite of retries, and none of
// 7,700 with round robin (Envoy 1.40). Requests to static sites cost much the
// same, so nothing is lost.
func endpointsCluster(name string, shape clusterShape) *clusterv3.Cluster {
	c := boundedCluster(name, podConnectTimeout, shape)
	c.ClusterDiscoveryType, c.EdsClusterConfig = eds, edsOverADS
	return c
}

// dnsCluster renders a cluster as the first design had it: the proxies resolve
// the Service's name.
//
// There is one only while the Service is known to be harmless: a name that an
// ExternalName Service stands behind could point a tenant at anything.
func dnsCluster(service Key, name string, shape clusterShape) *clusterv3.Cluster {
	host := service.Name + "." + service.Namespace + ".svc.cluster.local"
	c := boundedCluster(name, dnsConnectTimeout, shape)
	c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STRICT_DNS}
	c.LoadAssignment = &endpointv3.ClusterLoadAssignment{
		ClusterName: name,
		Endpoints:   []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{lbEndpoint(host, uint32(shape.target))}}},
	}
	return c
}

// boundedCluster renders what all our clusters have in common.
//
// As many requests may be retried at a time as Envoy lets be under way: its
// default is 3, and with one of two pods dead the fourth failed, half of all
// requests. The other limits, 1,024 connections and requests of a cluster, keep
// one site's rush from being everybody's.
//
// The buffer is what a reader costs who asks for a large file and stops reading:
// 80 KB with this limit, 580 KB with Envoy's own (1.40).
func boundedCluster(name string, connectTimeout *durationpb.Duration, shape clusterShape) *clusterv3.Cluster {
	c := &clusterv3.Cluster{
		Name:                          name,
		ConnectTimeout:                connectTimeout,
		CircuitBreakers:               breakers,
		PerConnectionBufferLimitBytes: bufferLimit,
	}
	if shape.http2 {
		c.TypedExtensionProtocolOptions = overHTTP2
	}
	return c
}
