package xds

import (
	"fmt"
	"strings"
	"testing"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
)

// Who asks for more than anyone may is told so, and its stream ends. As much as is
// allowed is served, and others notice nothing.
func TestLimits(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1")
	neighbour := h.connectDelta()
	neighbour.send(askDelta(Cluster))
	first := neighbour.recv()
	expectNames(t, first, "docs@1")
	neighbour.send(ackDelta(first))

	// As much as is allowed: in one request, and on a stream.
	claims := make(map[string]string, maxNames)
	for _, name := range manyNames(maxNames) {
		claims[name] = "v"
	}
	c := h.connectDelta()
	ask := askDelta(Cluster, "docs", strings.Repeat("n", maxName))
	ask.InitialResourceVersions = claims
	c.send(ask)
	expectNames(t, c.recv(), "docs@1", "-"+strings.Repeat("n", maxName))
	s := h.connectSotw()
	s.send(&discovery.DiscoveryRequest{TypeUrl: Endpoint.URL(), ResourceNames: manyNames(maxNames)})
	s.send(&discovery.DiscoveryRequest{TypeUrl: Cluster.URL()})
	s.recv()

	// One past it, on this stream.
	s.send(&discovery.DiscoveryRequest{TypeUrl: Route.URL(), ResourceNames: []string{"one-more"}})
	expectExhausted(t, s.fails(), "250001 names that do not exist")

	for _, n := range []int{maxNames + 1, 4 * maxNames} {
		s := h.connectSotw()
		s.send(&discovery.DiscoveryRequest{TypeUrl: Endpoint.URL(), ResourceNames: manyNames(n)})
		expectExhausted(t, s.fails(), fmt.Sprint(n, " names"))
		for _, r := range []*discovery.DeltaDiscoveryRequest{
			{TypeUrl: Endpoint.URL(), ResourceNamesSubscribe: manyNames(n)},
			{TypeUrl: Endpoint.URL(), ResourceNamesUnsubscribe: manyNames(n)},
			{TypeUrl: "type.googleapis.com/nobody.Serves", ResourceNamesSubscribe: manyNames(n)},
		} {
			c := h.connectDelta()
			c.send(r)
			expectExhausted(t, c.fails(), fmt.Sprint(n, " names"))
		}
		if n > maxNames+1 {
			continue
		}
		claims["one-more"] = "v"
		c := h.connectDelta()
		c.send(&discovery.DeltaDiscoveryRequest{TypeUrl: Cluster.URL(), InitialResourceVersions: claims})
		expectExhausted(t, c.fails(), fmt.Sprint(n, " names"))
	}

	for _, length := range []int{maxName + 1, 10 << 20, maxRequest + 1} {
		long := strings.Repeat("n", length)
		for _, r := range []*discovery.DeltaDiscoveryRequest{
			askDelta(Endpoint, long),
			{TypeUrl: long},
			{TypeUrl: Endpoint.URL(), Node: node(long)},
			{TypeUrl: Cluster.URL(), InitialResourceVersions: map[string]string{long: "v"}},
			{TypeUrl: Cluster.URL(), InitialResourceVersions: map[string]string{"docs": long}},
		} {
			c := h.connectDelta()
			c.send(r)
			expectExhausted(t, c.fails(), "")
		}
	}

	h.publish("docs@2")
	expectNames(t, neighbour.recv(), "docs@2")
}

func expectExhausted(t *testing.T, err error, says string) {
	t.Helper()
	if grpcstatus.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), says) {
		t.Errorf("the stream ends with %v", err)
	}
}

// manyNames returns names that do not exist.
func manyNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("none-%d", i)
	}
	return names
}
