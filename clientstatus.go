package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	admin "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	csds "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"my-company.com/staticsite-operator/explain"
)

const (
	// askTimeout is how long a server may take to answer. It waits up to a second
	// for proxies that do not answer it.
	askTimeout = 10 * time.Second

	// mostStatus is the largest answer that is taken. A few resources of 1,000
	// proxies are a few megabytes; a server that cannot pick them sends all.
	mostStatus = 64 << 20
)

// askServer asks a server, over client status discovery, what each of its clients
// holds of the resources with these names.
func askServer(ctx context.Context, address string, names []string) ([]explain.Proxy, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(mostStatus)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := csds.NewClientStatusDiscoveryServiceClient(conn).FetchClientStatus(ctx, &csds.ClientStatusRequest{
		Node: &core.Node{Id: "staticsite-operator explain", Metadata: &structpb.Struct{
			Fields: map[string]*structpb.Value{"resource_names": listOf(names)},
		}},
	})
	if err != nil {
		return nil, refusal(err)
	}
	proxies := make([]explain.Proxy, 0, len(answer.GetConfig()))
	for _, config := range answer.GetConfig() {
		proxies = append(proxies, proxyOf(address, config))
	}
	return proxies, nil
}

func listOf(names []string) *structpb.Value {
	list := &structpb.ListValue{}
	for _, name := range names {
		list.Values = append(list.Values, structpb.NewStringValue(name))
	}
	return structpb.NewListValue(list)
}

// refusal says why a server did not answer.
func refusal(err error) error {
	switch s := status.Convert(err); s.Code() {
	case codes.DeadlineExceeded:
		return fmt.Errorf("no answer within %v", askTimeout)
	case codes.Unimplemented:
		return errors.New("it does not serve client status discovery (is it this program's --xds-bind-address?)")
	default:
		_, cause, dialing := strings.Cut(s.Message(), "Error while dialing: ")
		if dialing {
			return errors.New(strings.TrimSuffix(cause, `"`))
		}
		return errors.New(s.Message())
	}
}

func proxyOf(server string, config *csds.ClientConfig) explain.Proxy {
	p := explain.Proxy{Server: server, Node: config.GetNode().GetId(), Address: config.GetClientScope(), Silent: config.GetNode() == nil}
	for _, c := range config.GetGenericXdsConfigs() {
		h := explain.Holding{Type: c.GetTypeUrl(), Name: c.GetName(), State: stateOf(c), Error: c.GetErrorState().GetDetails()}
		if m, err := c.GetXdsConfig().UnmarshalNew(); err == nil {
			h.Message = m
		}
		p.Holdings = append(p.Holdings, h)
	}
	return p
}

// stateOf is the inverse of what the server makes of its states (xds/csds.go).
func stateOf(c *csds.ClientConfig_GenericXdsConfig) explain.State {
	switch {
	case c.GetConfigStatus() == csds.ConfigStatus_SYNCED:
		return explain.Acknowledged
	case c.GetConfigStatus() == csds.ConfigStatus_ERROR:
		return explain.Refused
	case c.GetClientStatus() == admin.ClientResourceStatus_NACKED:
		return explain.TriedAgain
	case c.GetConfigStatus() == csds.ConfigStatus_STALE:
		return explain.Sent
	}
	return explain.Waiting
}
