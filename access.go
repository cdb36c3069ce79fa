package main

import (
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"my-company.com/staticsite-operator/credentials"
	"my-company.com/staticsite-operator/replicas/replicasv1"
)

// access says who may call what over TLS. What is not here nobody may call; a test
// holds it complete over what is served.
func access() credentials.Access {
	proxies := []credentials.Role{credentials.Proxy}
	replicas := []credentials.Role{credentials.Replica}
	both := []credentials.Role{credentials.Proxy, credentials.Replica}
	return credentials.Access{
		discovery.AggregatedDiscoveryService_StreamAggregatedResources_FullMethodName: proxies,
		discovery.AggregatedDiscoveryService_DeltaAggregatedResources_FullMethodName:  proxies,

		replicasv1.Replicas_Watch_FullMethodName: replicas,

		healthpb.Health_Check_FullMethodName: both,
		healthpb.Health_List_FullMethodName:  both,
		healthpb.Health_Watch_FullMethodName: both,
	}
}
