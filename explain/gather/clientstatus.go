package gather

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	admin "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	csds "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
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
	// proxies are less than a megabyte; a server that cannot pick them sends all.
	mostStatus = 64 << 20
)

// ClientStatus asks a server, over client status discovery, what each of its clients
// holds of the resources with these names. The resources themselves are those of
// the client that has acknowledged most: they are the same for all who have, and
// a table of routes may be large.
func ClientStatus(ctx context.Context, address string, names []string) ([]explain.Proxy, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(mostStatus)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	fetch := func(nodes []*matcher.NodeMatcher) (proxies []explain.Proxy, _ error) {
		answer, err := csds.NewClientStatusDiscoveryServiceClient(conn).FetchClientStatus(ctx, &csds.ClientStatusRequest{
			Node: &core.Node{Id: "staticsite-operator explain", Metadata: &structpb.Struct{
				Fields: map[string]*structpb.Value{"resource_names": listOf(names)},
			}},
			NodeMatchers: nodes, ExcludeResourceContents: len(nodes) == 0,
		})
		for _, config := range answer.GetConfig() {
			proxies = append(proxies, proxyOf(address, config))
		}
		return proxies, refusal(err)
	}
	proxies, err := fetch(nil)
	i := furthest(proxies)
	if err != nil || i < 0 {
		return proxies, err
	}
	id := &matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_Exact{Exact: proxies[i].Node}}
	detailed, err := fetch([]*matcher.NodeMatcher{{NodeId: id}})
	for _, p := range detailed { // Several may have that id.
		if p.Address == proxies[i].Address {
			proxies[i] = p
		}
	}
	return proxies, err
}

// furthest returns which proxy has acknowledged most; negative if none has
// anything.
func furthest(proxies []explain.Proxy) int {
	best, most := -1, 0
	for i, p := range proxies {
		n := 0
		for _, h := range p.Holdings {
			if h.State == explain.Acknowledged {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	return best
}

func listOf(names []string) *structpb.Value {
	list := &structpb.ListValue{}
	for _, name := range names {
		list.Values = append(list.Values, structpb.NewStringValue(name))
	}
	return structpb.NewListValue(list)
}

// refusal says why a server did not answer, if it did not.
func refusal(err error) error {
	switch s := status.Convert(err); s.Code() {
	case codes.OK:
		return nil
	case codes.DeadlineExceeded:
		return fmt.Errorf("no answer within %v", askTimeout)
	case codes.Unimplemented:
		return errors.New("it does not serve client status discovery (is it this program's --xds-bind-address or, with TLS, --xds-inspect-bind-address?)")
	default:
		_, cause, dialing := strings.Cut(s.Message(), "Error while dialing: ")
		if dialing {
			return errors.New(strings.TrimSuffix(cause, `"`))
		}
		if strings.Contains(s.Message(), "error reading server preface") {
			return errors.New("it does not speak plaintext HTTP/2 (where proxies connect with TLS, ask at --xds-inspect-bind-address, by kubectl port-forward)")
		}
		return errors.New(s.Message())
	}
}

func proxyOf(server string, config *csds.ClientConfig) explain.Proxy {
	p := explain.Proxy{Server: server, Node: config.GetNode().GetId(), Address: config.GetClientScope(), Silent: config.GetNode() == nil}
	for _, c := range config.GetGenericXdsConfigs() {
		h := explain.Holding{Type: c.GetTypeUrl(), Name: c.GetName(), State: stateOf(c), Error: c.GetErrorState().GetDetails(), Has: c.GetVersionInfo() != ""}
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
	case c.GetConfigStatus() == csds.ConfigStatus_UNKNOWN:
		return explain.NotAsked
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
