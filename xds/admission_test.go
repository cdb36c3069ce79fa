package xds

import (
	"runtime"
	"testing"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"go.uber.org/zap"
)

// admit sets how many new streams are served at a time, and for how long each.
func admit(n int, d time.Duration) func(*Server) {
	return func(s *Server) { s.admission.places, s.admission.time = make(chan struct{}, n), d }
}

// waiting waits until so many streams wait.
func (h *harness) waiting(want float64) {
	h.Helper()
	for counter(h.T, h.server, "staticsite_xds_streams_waiting") != want {
		if h.ctx.Err() != nil {
			h.Fatalf("%v streams wait, not %v", counter(h.T, h.server, "staticsite_xds_streams_waiting"), want)
		}
		runtime.Gosched()
	}
}

func serveDelta(c *deltaClient) {
	c.Helper()
	c.send(askDelta(Cluster))
	takeDelta(c)
}

// takeDelta acknowledges clusters that were asked for, and then everything until
// there are routes.
func takeDelta(c *deltaClient) {
	c.Helper()
	c.send(ackDelta(c.recv()))
	c.send(askDelta(ScopedRoute))
	for routes := false; !routes; {
		r := c.recv()
		c.send(ackDelta(r))
		routes = r.GetTypeUrl() == ScopedRoute.URL()
	}
}

// A stream in step sees its changes while hundreds connect, before any of those
// that wait; each of these is served when one of those before it has everything.
func TestStreamsInStepGoBeforeNewOnes(t *testing.T) {
	const places, clients = 2, 200
	h := serve(t, zap.NewNop(), admit(places, time.Hour))
	h.publish("docs@1")
	inStep := h.connectDelta()
	serveDelta(inStep)

	var fresh []*deltaClient
	for i := range clients {
		c := h.connectDelta()
		c.send(askDelta(Cluster))
		fresh = append(fresh, c)
		h.waiting(float64(max(0, i+1-places))) // So they wait in this order.
	}
	h.publish("docs@2")
	expectNames(t, inStep.recv(), "docs@2")
	for i, c := range fresh {
		takeDelta(c)
		h.waiting(float64(max(0, clients-places-i-1)))
	}
}

// A new stream gives its place to the next when it has routes, when it ends, and
// when it takes too long.
func TestPlacesAreGivenBack(t *testing.T) {
	h := serve(t, zap.NewNop(), admit(1, time.Hour))
	h.publish("docs@1")

	served := h.connectDelta()
	serveDelta(served)
	frozen := h.connectDelta()
	frozen.send(askDelta(Cluster))
	frozen.recv()
	sotw := h.connectSotw()
	sotw.send(&discovery.DiscoveryRequest{TypeUrl: Cluster.URL()})
	h.waiting(1)
	frozen.end()
	sotw.send(ackSotw(sotw.recv()))
	impatient := h.connectDelta()
	h.waiting(1)
	impatient.end()
	h.waiting(0)
	last := h.connectDelta()
	h.waiting(1)
	sotw.send(&discovery.DiscoveryRequest{TypeUrl: ScopedRoute.URL()})
	sotw.send(ackSotw(sotw.recv()))
	serveDelta(last)
}

// Clients that are frozen hold up nobody: not those in step, and new ones for as
// long only as a place may be kept.
func TestFrozenClientsHoldUpNobody(t *testing.T) {
	h := serve(t, zap.NewNop(), admit(1, time.Millisecond))
	h.publish("docs@1")
	inStep := h.connectDelta()
	serveDelta(inStep)
	for range 50 {
		h.connectDelta().send(askDelta(Cluster)) // and never reads
	}
	h.publish("docs@2")
	expectNames(t, inStep.recv(), "docs@2")
	serveDelta(h.connectDelta())
}

// A replica that shuts down ends the streams that wait, too.
func TestWaitingStreamsEndWithTheServer(t *testing.T) {
	h := serve(t, zap.NewNop(), admit(1, time.Hour))
	h.publish("docs@1")
	h.connectDelta()
	c := h.connectDelta()
	h.waiting(1)
	h.server.Drain()
	if err := c.fails(); err == nil || err.Error() != errDraining.Error() {
		t.Errorf("ends with %v", err)
	}
}
