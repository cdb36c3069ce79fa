package xds

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	csds "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// TestClientStatus asks what two clients hold, of which one refused a cluster and
// the other has not answered yet, so that it was not sent the refused one at all:
// all of it, one client, and one resource.
func TestClientStatus(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1", "kb@1")
	refuses, slow := h.connectDelta(), h.connectDelta()
	first := askDelta(Cluster)
	first.Node = node("refuses")
	refuses.send(first)
	r := refuses.recv()
	for !(len(r.GetResources()) == 1 && r.GetResources()[0].GetName() == "docs") { // tried apart, until it is alone
		refuses.send(nackDelta(r, "docs: no"))
		r = refuses.recv()
		if len(r.GetResources()) == 1 && r.GetResources()[0].GetName() == "kb" {
			refuses.send(ackDelta(r))
			r = refuses.recv()
		}
	}
	refuses.send(nackDelta(r, "docs: no"))
	h.state("docs is refused", func(s StreamState) bool { return s.Exceptions[ResourceName{Cluster, "docs"}].Refused })
	first = askDelta(Cluster)
	first.Node = node("slow")
	slow.send(first)
	slow.recv()
	h.store.Publish(changes(t, "listener http@1"))

	for _, c := range []struct {
		name    string
		request *csds.ClientStatusRequest
		want    []string
	}{
		{"all", &csds.ClientStatusRequest{}, []string{
			"refuses docs ERROR NACKED docs: no", "refuses kb SYNCED ACKED ", "slow docs NOT_SENT REQUESTED ", "slow kb STALE REQUESTED "}},
		{"one client", &csds.ClientStatusRequest{NodeMatchers: []*matcher.NodeMatcher{exactly("slow")}}, []string{
			"slow docs NOT_SENT REQUESTED ", "slow kb STALE REQUESTED "}},
		{"one resource", &csds.ClientStatusRequest{Node: asking("docs", "docs", "nothing")}, []string{
			"refuses docs ERROR NACKED docs: no", "slow docs NOT_SENT REQUESTED "}},
		{"one that is not asked for", &csds.ClientStatusRequest{Node: asking("http")}, []string{
			"refuses http UNKNOWN UNKNOWN ", "slow http UNKNOWN UNKNOWN "}},
		{"no resource", &csds.ClientStatusRequest{Node: asking()}, nil},
	} {
		answer, err := csds.NewClientStatusDiscoveryServiceClient(h.dial()).FetchClientStatus(h.ctx, c.request)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, config := range answer.GetConfig() {
			for _, x := range config.GetGenericXdsConfigs() {
				if len(x.GetXdsConfig().GetValue()) == 0 {
					t.Errorf("%s: %s has no contents", c.name, x.GetName())
				}
				got = append(got, fmt.Sprintf("%s %s %v %v %s", config.GetNode().GetId(), x.GetName(),
					x.GetConfigStatus(), x.GetClientStatus(), x.GetErrorState().GetDetails()))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestClientStatusRefusesWhatItCannotFilter(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1")
	text, err := structpb.NewStruct(map[string]any{resourceNames: "docs"})
	if err != nil {
		t.Fatal(err)
	}
	for want, request := range map[string]*csds.ClientStatusRequest{
		"node_matchers":                {NodeMatchers: []*matcher.NodeMatcher{{}}},
		"node.metadata.resource_names": {Node: &core.Node{Metadata: text}},
	} {
		_, err := csds.NewClientStatusDiscoveryServiceClient(h.dial()).FetchClientStatus(h.ctx, request)
		if grpcstatus.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want InvalidArgument about %s", err, want)
		}
	}
}

// asking is who asks about some resources.
func asking(names ...string) *core.Node {
	list := &structpb.ListValue{}
	for _, name := range names {
		list.Values = append(list.Values, structpb.NewStringValue(name))
	}
	return &core.Node{Metadata: &structpb.Struct{Fields: map[string]*structpb.Value{resourceNames: structpb.NewListValue(list)}}}
}

func exactly(id string) *matcher.NodeMatcher {
	return &matcher.NodeMatcher{NodeId: &matcher.StringMatcher{MatchPattern: &matcher.StringMatcher_Exact{Exact: id}}}
}
