package xds

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	admin "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	csds "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// inspectTimeout is how long a stream may take to answer a question. One that is
// busy sending to a client that does not read does not answer.
const inspectTimeout = time.Second

// clientStatus is the client status discovery service: what each connected
// client was sent, acknowledged and refused, for people and their tools. Of a
// client that does not read, only its address is known. A request may ask for
// few clients (nodeFilter) and for few resources (resourceFilter).
type clientStatus struct {
	csds.UnimplementedClientStatusDiscoveryServiceServer
	server *Server
}

// FetchClientStatus answers once.
func (c clientStatus) FetchClientStatus(ctx context.Context, r *csds.ClientStatusRequest) (*csds.ClientStatusResponse, error) {
	return c.status(ctx, r)
}

// StreamClientStatus answers each request.
func (c clientStatus) StreamClientStatus(g csds.ClientStatusDiscoveryService_StreamClientStatusServer) error {
	for {
		r, err := g.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := c.status(g.Context(), r)
		if err != nil {
			return err
		}
		if err := g.Send(answer); err != nil {
			return err
		}
	}
}

func (c clientStatus) status(ctx context.Context, r *csds.ClientStatusRequest) (*csds.ClientStatusResponse, error) {
	wanted, err := nodeFilter(r.GetNodeMatchers())
	if err != nil {
		return nil, err
	}
	holdings, err := resourceFilter(r.GetNode())
	if err != nil {
		return nil, err
	}
	streams := c.server.connected()
	configs := make([]*csds.ClientConfig, len(streams))
	var answers sync.WaitGroup
	for i, st := range streams { // All at once: those that do not answer are waited for together.
		configs[i] = &csds.ClientConfig{ClientScope: st.peer}
		answers.Go(func() {
			st.inspect(ctx, func() {
				configs[i].Node = &core.Node{Id: st.node}
				if !wanted(st.node) {
					return
				}
				for t := range numTypes {
					configs[i].GenericXdsConfigs = append(configs[i].GenericXdsConfigs, statusOf(holdings(st.session, t), r.GetExcludeResourceContents())...)
				}
			})
		})
	}
	answers.Wait()
	unwanted := func(config *csds.ClientConfig) bool { return !wanted(config.GetNode().GetId()) }
	return &csds.ClientStatusResponse{Config: slices.DeleteFunc(configs, unwanted)}, nil
}

// resourceNames is the one field of a request's own node that is read: in its
// metadata, a list of the names of the resources that the request is about. The
// service has no field for it, and all that 100 proxies hold of 10,000 sites are
// hundreds of megabytes.
const resourceNames = "resource_names"

// resourceFilter returns how to look up what a request is about: the resources
// that it names, of every type, or all.
func resourceFilter(asking *core.Node) (func(*Session, Type) []Holding, error) {
	field, named := asking.GetMetadata().GetFields()[resourceNames]
	if !named {
		return (*Session).Holdings, nil
	}
	list, ok := field.GetKind().(*structpb.Value_ListValue)
	if !ok {
		return nil, status.Errorf(codes.InvalidArgument, "node.metadata.%s: write a list of names", resourceNames)
	}
	var names []string
	for _, value := range list.ListValue.GetValues() {
		names = append(names, value.GetStringValue())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return func(s *Session, t Type) []Holding { return s.HoldingsOf(t, names) }, nil
}

// nodeFilter returns which node ids a request is about. Only exact ids can be
// asked for; it says so otherwise.
func nodeFilter(matchers []*matcher.NodeMatcher) (func(id string) bool, error) {
	var ids []string
	for _, m := range matchers {
		exact, ok := m.GetNodeId().GetMatchPattern().(*matcher.StringMatcher_Exact)
		if !ok || len(m.GetNodeMetadatas()) > 0 {
			return nil, status.Error(codes.InvalidArgument, "node_matchers: only node_id.exact can be asked for")
		}
		ids = append(ids, exact.Exact)
	}
	return func(id string) bool { return len(ids) == 0 || slices.Contains(ids, id) }, nil
}

var clientStates = map[HoldingState]struct {
	config csds.ConfigStatus
	client admin.ClientResourceStatus
}{
	NotSent:  {csds.ConfigStatus_NOT_SENT, admin.ClientResourceStatus_REQUESTED},
	Sent:     {csds.ConfigStatus_STALE, admin.ClientResourceStatus_REQUESTED},
	Acked:    {csds.ConfigStatus_SYNCED, admin.ClientResourceStatus_ACKED},
	Rejected: {csds.ConfigStatus_ERROR, admin.ClientResourceStatus_NACKED},
	Trying:   {csds.ConfigStatus_STALE, admin.ClientResourceStatus_NACKED},
	NotAsked: {csds.ConfigStatus_UNKNOWN, admin.ClientResourceStatus_UNKNOWN},
}

func statusOf(holdings []Holding, withoutContents bool) []*csds.ClientConfig_GenericXdsConfig {
	slices.SortFunc(holdings, func(a, b Holding) int { return strings.Compare(a.Resource.Name, b.Resource.Name) })
	out := make([]*csds.ClientConfig_GenericXdsConfig, 0, len(holdings))
	for _, h := range holdings {
		c := &csds.ClientConfig_GenericXdsConfig{
			TypeUrl: h.Resource.Type.URL(), Name: h.Resource.Name, VersionInfo: h.Has,
			ConfigStatus: clientStates[h.State].config, ClientStatus: clientStates[h.State].client,
		}
		if h.Reason != "" {
			c.ErrorState = &admin.UpdateFailureState{Details: h.Reason, VersionInfo: h.Resource.Version}
		}
		if !withoutContents {
			c.XdsConfig = &anypb.Any{TypeUrl: h.Resource.Type.URL(), Value: h.Resource.body()}
		}
		out = append(out, c)
	}
	return out
}
