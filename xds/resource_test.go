package xds

import (
	"bytes"
	"strings"
	"testing"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// What a session keeps of a request is its own: whoever sent it may use the
// memory again.
func TestRule07(t *testing.T) {
	store := NewStore()
	store.Publish(changes(t, "cluster docs@1"))
	request := &Request{Type: Cluster, Subscribe: []string{"docs", "shop"}, Claims: []Claim{{"docs", "0"}}}
	s := NewDeltaSession(store.Latest(), DefaultAckTimeout, 0)
	sotw := NewSotwSession(store.Latest(), DefaultAckTimeout)
	list := &Request{Type: Cluster, Names: []string{"docs", "shop"}}
	s.Request(request)
	sotw.Request(list)
	for _, names := range [][]string{request.Subscribe, list.Names} {
		clear(names)
	}
	clear(request.Claims)
	request.Nonce, list.Nonce = "1", "1"

	now := time.Unix(0, 0)
	for _, s := range []*Session{s, sotw} {
		_, r := s.Next(now)
		s.Request(&Request{Type: Cluster, Nonce: r.Nonce, Version: r.Version, Names: []string{"docs", "shop"}})
	}
	store.Publish(changes(t, "cluster shop@1"))
	for _, s := range []*Session{s, sotw} {
		s.Publish(store.Latest())
		if _, r := s.Next(now); r == nil || !strings.Contains(text(r), "shop@1") {
			t.Errorf("forgot that it was asked for shop: %v", r)
		}
	}
}

// A resource's name is the one inside, and its type the one it is published as.
func TestRule28(t *testing.T) {
	for _, c := range []struct {
		t    Type
		msg  proto.Message
		name string
		err  string
	}{
		{Cluster, &cluster.Cluster{Name: "docs"}, "docs", ""},
		{Endpoint, &endpoint.ClusterLoadAssignment{ClusterName: "docs"}, "docs", ""},
		{ScopedRoute, testScope("docs.example", "1", "docs.example"), "docs.example", ""},
		{Route, &cluster.Cluster{Name: "docs"}, "", "message is a type.googleapis.com/envoy.config.cluster.v3.Cluster"},
		{ScopedRoute, &route.RouteConfiguration{Name: "docs"}, "", "message is a"},
		{Cluster, &cluster.Cluster{}, "", "no name"},
		{Endpoint, &endpoint.ClusterLoadAssignment{}, "", "no name"},
	} {
		r, err := NewResource(c.t, c.msg)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s of %v: error %v, want %q", c.t, c.msg, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var response discovery.DeltaDiscoveryResponse
		if err := proto.Unmarshal(r.appendDelta(nil), &response); err != nil {
			t.Fatal(err)
		}
		var full discovery.DiscoveryResponse
		if err := proto.Unmarshal(r.appendSotw(nil), &full); err != nil {
			t.Fatal(err)
		}
		if got, want := [2]int{r.Size(), r.sotwSize()}, [2]int{len(r.appendDelta(nil)), len(r.appendSotw(nil))}; got != want {
			t.Errorf("%s: it says that it has %d bytes, and has %d", c.name, got, want)
		}
		sent := response.GetResources()[0]
		if sent.GetName() != c.name || sent.GetVersion() != r.Version || sent.GetResource().GetTypeUrl() != c.t.URL() {
			t.Errorf("%s is sent as %v", c.name, sent)
		}
		if !proto.Equal(sent.GetResource(), full.GetResources()[0]) {
			t.Errorf("%s: delta and state of the world differ", c.name)
		}
		if inner, err := sent.GetResource().UnmarshalNew(); err != nil || !proto.Equal(inner, c.msg) {
			t.Errorf("%s: inside is %v (%v)", c.name, inner, err)
		}
	}
}

// A version is a hash of the bytes, which are the same however the message was
// made: equal on every replica of one build.
func TestRule36(t *testing.T) {
	metadata := func(keys string) *core.Metadata {
		m := &core.Metadata{FilterMetadata: make(map[string]*structpb.Struct)}
		for _, k := range strings.Fields(keys) {
			m.FilterMetadata[k] = &structpb.Struct{Fields: map[string]*structpb.Value{k: structpb.NewStringValue(k)}}
		}
		return m
	}
	first, err := NewResource(Cluster, &cluster.Cluster{Name: "docs", Metadata: metadata("a b c d e f g")})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := NewResource(Cluster, &cluster.Cluster{Name: "docs", Metadata: metadata("g f e d c b a")})
		if err != nil {
			t.Fatal(err)
		}
		if again.Version != first.Version || !bytes.Equal(again.appendDelta(nil), first.appendDelta(nil)) || again.sum != first.sum {
			t.Fatalf("equal messages, versions %s and %s", first.Version, again.Version)
		}
	}
	other, err := NewResource(Cluster, &cluster.Cluster{Name: "docs", Metadata: metadata("a b c d e f h")})
	if err != nil {
		t.Fatal(err)
	}
	if other.Version == first.Version {
		t.Error("different messages, equal versions")
	}
	if len(first.Version) != 12 {
		t.Errorf("the version %q is not short (rule 66)", first.Version)
	}
}

// Rule 90: another attempt has other bytes and the same identity; one that is of
// another name is refused.
func TestAnotherAttempt(t *testing.T) {
	r := testResource(ScopedRoute, "docs.example", "1")
	again, err := r.again(7)
	if err != nil {
		t.Fatal(err)
	}
	if again.Name != r.Name || again.Version != r.Version || again.sum != r.sum || bytes.Equal(again.body(), r.body()) {
		t.Errorf("attempt 7 of %v is %v", r, again)
	}
	r.Again = func(proto.Message, int) proto.Message { return testScope("other", "1", "other") }
	if _, err := r.again(8); err == nil {
		t.Error("another name is no error")
	}
}
