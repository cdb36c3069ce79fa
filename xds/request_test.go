package xds

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"unsafe"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

var someRequests = []proto.Message{
	&discovery.DiscoveryRequest{
		VersionInfo: "v", Node: &core.Node{Id: "edge-1", Cluster: "edge", UserAgentName: "envoy"}, ResourceNames: []string{"docs", "", "shop"},
		TypeUrl: Endpoint.URL(), ResponseNonce: "n", ErrorDetail: &status.Status{Code: 13, Message: "it is bad"},
	},
	&discovery.DeltaDiscoveryRequest{
		Node: &core.Node{Id: "edge-1", Locality: &core.Locality{Zone: "a"}}, TypeUrl: Cluster.URL(),
		ResourceNamesSubscribe: []string{"docs", "*"}, ResourceNamesUnsubscribe: []string{"shop"},
		InitialResourceVersions: map[string]string{"docs": "1", "shop": "", "": "2"}, ResponseNonce: "n",
		ErrorDetail: &status.Status{},
	},
	&discovery.DeltaDiscoveryRequest{},
}

// Requests are decoded as protobuf does it.
func TestRequestsAreDecodedAsProtobufDoes(t *testing.T) {
	for _, m := range someRequests {
		body, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range len(body) + 1 {
			compareDecoders(t, body[:cut])
		}
	}
}

func FuzzRequest(f *testing.F) {
	for _, m := range someRequests {
		body, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(compareDecoders)
}

// compareDecoders decodes bytes as a request of either protocol. Only what has
// fields that no version of the protocol has may be taken by one and refused by
// the other.
func compareDecoders(t *testing.T, body []byte) {
	var s discovery.DiscoveryRequest
	wantErr := proto.Unmarshal(body, &s)
	got := new(message)
	err := got.decode(mem.BufferSlice{mem.SliceBuffer(body)})
	want := fmt.Sprint(s.GetNode().GetId(), s.GetTypeUrl(), s.GetResponseNonce(), s.GetVersionInfo(), s.GetErrorDetail() != nil, s.GetErrorDetail().GetMessage(), s.GetResourceNames())
	have := fmt.Sprint(got.node, got.url, got.Nonce, got.Version, got.Refused, got.Reason, got.Names)
	compareDecoded(t, &s, wantErr, err, want, have)

	var d discovery.DeltaDiscoveryRequest
	wantErr = proto.Unmarshal(body, &d)
	got = &message{delta: true}
	err = got.decode(mem.BufferSlice{mem.SliceBuffer(body[:len(body)/2]), mem.SliceBuffer(body[len(body)/2:])})
	claims := make(map[string]string)
	for _, c := range got.Claims {
		claims[c.Name] = c.Version
	}
	want = fmt.Sprint(d.GetNode().GetId(), d.GetTypeUrl(), d.GetResponseNonce(), d.GetErrorDetail() != nil, d.GetErrorDetail().GetMessage(),
		d.GetResourceNamesSubscribe(), d.GetResourceNamesUnsubscribe(), maps.Equal(claims, d.GetInitialResourceVersions()))
	have = fmt.Sprint(got.node, got.url, got.Nonce, got.Refused, got.Reason, got.Subscribe, got.Unsubscribe, true)
	compareDecoded(t, &d, wantErr, err, want, have)
}

func compareDecoded(t *testing.T, m proto.Message, wantErr, err error, want, have string) {
	t.Helper()
	switch {
	case wantErr != nil:
		// What is malformed where nothing is read may pass.
	case err != nil && !unknownFields(m):
		t.Errorf("refused: %v", err)
	case err == nil && have != want:
		t.Errorf("read %s, want %s", have, want)
	}
}

// unknownFields tells whether there are fields in a message, or in those in it,
// that it has none for.
func unknownFields(m proto.Message) bool {
	clean := proto.Clone(m)
	body, _ := proto.Marshal(clean)
	without := clean.ProtoReflect().New().Interface()
	return proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, without) != nil || !proto.Equal(clean, without)
}

// A few names that a session keeps do not keep the message that they came in.
func TestNoRequestIsKeptForItsNames(t *testing.T) {
	store := NewStore()
	snap := store.Publish(changes(t, "cluster docs@1"))
	m := &message{delta: true}
	body, err := proto.Marshal(&discovery.DeltaDiscoveryRequest{
		TypeUrl: Cluster.URL(), ResourceNamesSubscribe: []string{"*", "missing"}, InitialResourceVersions: map[string]string{"gone": "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.decode(mem.BufferSlice{mem.SliceBuffer(body)}); err != nil {
		t.Fatal(err)
	}
	delta, sotw := NewDeltaSession(snap, DefaultAckTimeout, 0), NewSotwSession(snap, DefaultAckTimeout)
	delta.Request(&m.Request)
	sotw.Request(&Request{Type: Cluster, Names: m.Subscribe})
	kept := slices.Collect(maps.Keys(delta.types[Cluster].waiting))
	for _, s := range []*Session{delta, sotw} {
		kept = slices.AppendSeq(kept, maps.Keys(s.types[Cluster].missing))
		kept = slices.AppendSeq(kept, maps.Keys(s.types[Cluster].gone))
	}
	if len(kept) < 4 {
		t.Fatalf("kept %q", kept)
	}
	for _, name := range kept {
		for _, part := range []string{m.Subscribe[1], m.Claims[0].Name} {
			if unsafe.StringData(name) == unsafe.StringData(part) {
				t.Errorf("%q is kept as it came", name)
			}
		}
	}
}
