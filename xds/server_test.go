package xds

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// The rules that need a socket, over real gRPC, each in a test of its number.

// The node is in the first request only, or in all of them.
func TestRule01(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1")

	c := h.connectDelta()
	first := askDelta(Cluster)
	first.Node = node("edge-1")
	c.send(first)
	r := c.recv()
	expectNames(t, r, "docs@1")
	c.send(ackDelta(r)) // No node.
	c.send(askDelta(Endpoint, "docs"))
	expectNames(t, c.recv(), "-docs")
	h.state("edge-1 acknowledges", func(s StreamState) bool { return s.Node == "edge-1" && s.Types[Cluster].Acked == 1 })

	s := h.connectSotw()
	s.send(&discovery.DiscoveryRequest{TypeUrl: Cluster.URL(), Node: node("edge-2")})
	ack := ackSotw(s.recv())
	ack.Node = node("edge-2") // In all of them.
	s.send(ack)
	h.state("edge-2 acknowledges", func(s StreamState) bool { return s.Node == "edge-2" && s.Types[Cluster].Acked == 1 })
}

// Nothing depends on the node, so who does not say it is served.
func TestRule02(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1")

	c := h.connectDelta()
	c.send(askDelta(Cluster))
	expectNames(t, c.recv(), "docs@1")
	s := h.connectSotw()
	s.send(&discovery.DiscoveryRequest{TypeUrl: Cluster.URL(), Node: node("")})
	if r := s.recv(); len(r.GetResources()) != 1 {
		t.Errorf("got %v", r)
	}
}

func TestRule03(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1")

	c := h.connectDelta()
	c.send(&discovery.DeltaDiscoveryRequest{})
	if err := c.fails(); grpcstatus.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "type_url is empty") {
		t.Errorf("delta stream ends with %v", err)
	}
	s := h.connectSotw()
	s.send(&discovery.DiscoveryRequest{})
	if err := s.fails(); grpcstatus.Code(err) != codes.InvalidArgument {
		t.Errorf("state-of-the-world stream ends with %v", err)
	}
}

// A type that is not served: the stream stays. Delta is told that the names do
// not exist, state of the world nothing. It is logged once, not once a stream.
func TestRule04(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	h := serve(t, zap.New(core), nil)
	h.publish("docs@1")

	const secrets = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
	for range 2 {
		c := h.connectDelta()
		c.send(&discovery.DeltaDiscoveryRequest{TypeUrl: secrets, ResourceNamesSubscribe: []string{"a", "b"}})
		r := c.recv()
		expectNames(t, r, "-a", "-b")
		if r.GetTypeUrl() != secrets {
			t.Errorf("answered with %s", r.GetTypeUrl())
		}
		c.send(ackDelta(r))
		c.send(&discovery.DeltaDiscoveryRequest{TypeUrl: secrets, ResourceNamesUnsubscribe: []string{"a"}})
		c.send(askDelta(Cluster))
		expectNames(t, c.recv(), "docs@1")

		s := h.connectSotw()
		s.send(&discovery.DiscoveryRequest{TypeUrl: secrets, ResourceNames: []string{"a"}})
		s.send(&discovery.DiscoveryRequest{TypeUrl: Cluster.URL()})
		if r := s.recv(); r.GetTypeUrl() != Cluster.URL() {
			t.Errorf("answered with %v", r)
		}
	}
	if got := logs.FilterField(zap.String("type", secrets)).Len(); got != 1 {
		t.Errorf("logged %d times", got)
	}
}

// Nothing is published yet: the port is closed, and a stream that is there
// already is held. An empty first answer would delete every listener.
func TestRule34(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	store := NewStore()
	server := NewServer(store, DefaultAckTimeout, zap.NewNop())
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- server.Serve(ctx, server.Open(addr)) }()
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("the port is open before anything was published")
	}
	if server.Listening() {
		t.Error("it says that it listens")
	}
	store.Publish(changes(t, "cluster docs@1"))
	for conn, err := net.Dial("tcp", addr); ; conn, err = net.Dial("tcp", addr) {
		if err == nil {
			conn.Close()
			break
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}

	h := serve(t, zap.NewNop(), nil)
	c := h.connectDelta()
	c.send(askDelta(Listener))
	s := h.connectSotw()
	s.send(&discovery.DiscoveryRequest{TypeUrl: Listener.URL()})
	h.store.Publish(changes(t, "listener http@1"))
	expectNames(t, c.recv(), "http@1")
	if r := s.recv(); len(r.GetResources()) != 1 {
		t.Errorf("first answered with %v", r)
	}
}

// A response that is never answered is logged and counted. That changes flow is
// in the script of this number.
func TestRule47(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	h := serve(t, zap.New(core), func(s *Server) { s.ackTimeout = time.Millisecond })
	h.publish("docs@1")
	c := h.connectDelta()
	c.send(askDelta(Cluster))
	expectNames(t, c.recv(), "docs@1")
	h.publish("docs@2")
	expectNames(t, c.recv(), "docs@2") // Sent only because the first has timed out.
	if got := logs.FilterMessage("proxy does not answer").Len(); got == 0 {
		t.Error("not logged")
	}
	if got := counter(t, h.server, "staticsite_xds_ack_timeouts_total"); got == 0 {
		t.Error("not counted")
	}
}

// A client that connects again with 100,000 names and versions.
func TestRule66(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1")
	claims := make(map[string]string, 100_000)
	for i := range 100_000 {
		claims[fmt.Sprintf("team-%d_documentation-%d_8080_cluster", i%100, i)] = "AbCdEfGhIjKl"
	}
	first := askDelta(Cluster, "docs")
	first.InitialResourceVersions = claims
	if size := proto.Size(first); size < 5<<20 || size > 7<<20 {
		t.Fatalf("the request is of %d bytes, not of 5 to 7 MB", size)
	}
	c := h.connectDelta()
	c.send(first)
	expectNames(t, c.recv(), "docs@1")
}

// The handler returns while the reader has a request for it. That the reader
// ends is checked by goleak when all tests are over, and here by the stop of the
// server, which waits for it.
func TestRule67(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1")
	c := h.connectDelta()
	for range 1000 {
		c.send(&discovery.DeltaDiscoveryRequest{}) // Rule 3 ends the stream at the first.
	}
	if err := c.fails(); grpcstatus.Code(err) != codes.InvalidArgument {
		t.Errorf("ends with %v", err)
	}
}

// blockedClient is connected and does not read; its stream is blocked in Send.
func (h *harness) blockedClient() *deltaClient {
	h.Helper()
	// A fixed window, so that what the server may send is bounded.
	c := h.connectDelta(grpc.WithInitialWindowSize(1<<16), grpc.WithInitialConnWindowSize(1<<16))
	c.send(askDelta(Cluster))
	c.send(askDelta(Listener))
	c.send(askDelta(ScopedRoute))
	return c
}

// large is a cluster of a megabyte.
func large(t *testing.T, version int) *Resource {
	t.Helper()
	r, err := NewResource(Cluster, &cluster.Cluster{Name: "large", AltStatName: fmt.Sprint(version) + strings.Repeat("x", 1<<20)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// publishLarge publishes a large cluster and small ones until a client that
// reads has seen 50 changes, while another one is blocked.
func publishLarge(t *testing.T) (*harness, *deltaClient) {
	h := serve(t, zap.NewNop(), func(s *Server) { s.ackTimeout = time.Millisecond })
	h.store.Publish([]Change{{Type: Cluster, Name: "large", Resource: large(t, 0)}})
	blocked := h.blockedClient()
	reader := h.connectDelta()
	reader.send(askDelta(Cluster))
	for i := 1; i <= 50; i++ {
		reader.send(ackDelta(reader.recv()))
		if i%10 == 0 {
			h.store.Publish([]Change{{Type: Cluster, Name: "large", Resource: large(t, i)}})
		} else {
			h.publish(fmt.Sprintf("docs@%d", i))
		}
	}
	reader.recv()
	return h, blocked
}

// No lock is held while sending: a client that does not read holds up neither
// who publishes nor who reads.
func TestRule68(t *testing.T) {
	publishLarge(t)
}

// A client that does not read has nothing queued for it: when it reads at last
// it gets what was on its way, and then the newest.
func TestRule69(t *testing.T) {
	h, blocked := publishLarge(t)
	newest := h.store.Latest().lookup(Cluster, "docs").Version
	for received := 1; ; received++ {
		r := blocked.recv()
		blocked.send(ackDelta(r))
		if slices.Contains(namesIn(r), "docs@"+newest) {
			if received > 6 {
				t.Errorf("got %d responses, of 50 changes", received)
			}
			return
		}
	}
}

// Nor is there a timeout for sending: the stream is as good as before, though it
// was blocked far longer than an answer may take.
func TestRule70(t *testing.T) {
	h, blocked := publishLarge(t)
	h.publish("shop@1")
	for r := blocked.recv(); !slices.Contains(namesIn(r), "shop@1"); r = blocked.recv() {
		blocked.send(ackDelta(r))
	}
}

// A client may ping when no stream is open, as often as the policy says. Without
// one, gRPC allows a ping in two hours and then sends GOAWAY.
func TestRule71(t *testing.T) {
	h := serve(t, zap.NewNop(), func(s *Server) { s.minPing = time.Millisecond })
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	for i := range byte(10) {
		time.Sleep(20 * time.Millisecond) // Longer than minPing.
		if err := framer.WritePing(false, [8]byte{i}); err != nil {
			t.Fatal(err)
		}
		for answered := false; !answered; {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatalf("ping %d: %v", i, err)
			}
			switch f := frame.(type) {
			case *http2.GoAwayFrame:
				t.Fatalf("ping %d is answered with GOAWAY: %s", i, f.DebugData())
			case *http2.PingFrame:
				answered = f.IsAck() && f.Data == [8]byte{i}
			}
		}
	}
}

// The server stops though streams never end by themselves: they are ended, so
// that clients connect elsewhere.
func TestRule72(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	store := NewStore()
	h := &harness{T: t, store: store, server: NewServer(store, DefaultAckTimeout, zap.NewNop()), addr: listener.Addr().String()}
	var cancel context.CancelFunc
	h.ctx, cancel = context.WithTimeout(context.Background(), patience)
	defer cancel()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- h.server.serveOn(ctx, listener, h.server.Open("")) }()
	held := h.connectSotw() // Held, since nothing is published.
	held.send(&discovery.DiscoveryRequest{TypeUrl: Cluster.URL()})
	h.publish("docs@1")
	held.recv()
	c := h.connectDelta()
	c.send(askDelta(Cluster))
	c.recv()

	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := c.fails(); grpcstatus.Code(err) != codes.Unavailable {
		t.Errorf("delta stream ends with %v", err)
	}
	if err := held.fails(); grpcstatus.Code(err) != codes.Unavailable {
		t.Errorf("state-of-the-world stream ends with %v", err)
	}
}

// A client that ends, cancels or dies is no error.
func TestRule73(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	h := serve(t, zap.New(core), nil)
	h.publish("docs@1")
	start := func(id string, opts ...grpc.DialOption) *deltaClient {
		c := h.connectDelta(opts...)
		first := askDelta(Cluster)
		first.Node = node(id)
		c.send(first)
		c.recv()
		return c
	}
	if err := start("ends").stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	start("cancels").end()
	var dying net.Conn
	start("dies", grpc.WithContextDialer(func(ctx context.Context, addr string) (conn net.Conn, err error) {
		dying, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		return dying, err
	}))
	dying.Close()
	ended := make(map[string]bool)
	h.state("all have ended", func(s StreamState) bool {
		if s.Closed {
			ended[s.Node] = true
		}
		return len(ended) == 3
	})
	for _, e := range logs.All() {
		if e.Level > zapcore.InfoLevel {
			t.Errorf("%s: %s %v", e.Level, e.Message, e.ContextMap())
		}
	}
}

// Nobody takes what is observed of a stream: it goes on, and what waits is one
// state, not a queue.
func TestRule74(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@0")
	c := h.connectDelta()
	c.send(askDelta(Cluster))
	for i := range 100 {
		c.send(ackDelta(c.recv()))
		h.publish(fmt.Sprintf("docs@%d", i+1))
	}
	c.send(ackDelta(c.recv()))
	h.publish("shop@1")
	c.recv()
	states := h.server.Observations().Take()
	if len(states) != 1 {
		t.Fatalf("%d states wait", len(states))
	}
	for _, s := range states {
		if s.Types[Cluster].Acked != 101 {
			t.Errorf("acknowledged %d", s.Types[Cluster].Acked)
		}
	}
}

// A later message names another node: it changes nothing.
func TestRule80(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	h := serve(t, zap.New(core), nil)
	h.publish("docs@1")
	c := h.connectDelta()
	first := askDelta(Cluster)
	first.Node = node("a")
	c.send(first)
	ack := ackDelta(c.recv())
	ack.Node = node("b")
	c.send(ack)
	other := askDelta(Endpoint, "docs")
	other.Node = node("b")
	c.send(other)
	expectNames(t, c.recv(), "-docs")
	h.state("a's acknowledgement", func(s StreamState) bool {
		if s.Node != "a" {
			t.Errorf("observed as %q", s.Node)
		}
		return s.Types[Cluster].Acked == 1
	})
	if got := logs.FilterField(zap.String("node", "b")).Len(); got != 0 {
		t.Errorf("%d log lines about b", got)
	}
}

// 20,000 identical NACKs: no response, one line in the log, one in the counter.
// What each costs does not grow.
func TestRule85(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	h := serve(t, zap.New(core), nil)
	h.publish("bad@1")
	c := h.connectDelta()
	c.send(askDelta(Cluster, "bad"))
	nack := nackDelta(c.recv(), "it is bad")
	c.send(nack)
	expectNames(t, c.recv(), "-bad") // What is left of it is cleared away.
	for range 20_000 {
		c.send(nack)
	}
	c.send(askDelta(Cluster, "docs"))
	expectNames(t, c.recv(), "-docs") // The next response; none came before it.
	if got := logs.FilterMessage("proxy refused a resource").Len(); got != 1 {
		t.Errorf("logged %d times", got)
	}
	if got := counter(t, h.server, "staticsite_xds_refused_total"); got != 1 {
		t.Errorf("counted %v", got)
	}

	s := NewDeltaSession(h.store.Latest(), DefaultAckTimeout, 0)
	now := time.Unix(0, 0)
	s.Request(&Request{Type: Cluster, Subscribe: []string{"bad"}})
	_, r := s.Next(now)
	again := &Request{Type: Cluster, Nonce: r.Nonce, Refused: true, Reason: "it is bad"}
	s.Request(again)
	s.Next(now) // "-bad"
	repeat := func() {
		s.Request(again)
		if _, r := s.Next(now); r != nil {
			t.Errorf("answered: %s", text(r))
		}
		s.Events()
		s.State()
	}
	early := testing.AllocsPerRun(100, repeat)
	testing.AllocsPerRun(20_000, repeat)
	if late := testing.AllocsPerRun(100, repeat); late > early {
		t.Errorf("a repeated NACK costs %v allocations at first, %v later", early, late)
	}
}

// TestIdleStepAllocatesNothing: with 10,000 streams, most steps send nothing.
func TestIdleStepAllocatesNothing(t *testing.T) {
	store, now := NewStore(), time.Unix(0, 0)
	clusters := []Change{{Type: Cluster, Name: "a", Resource: testResource(Cluster, "a", "1")}}
	scopes := []Change{{Type: ScopedRoute, Name: "a", Resource: testResource(ScopedRoute, "a", "1")}}
	for name, s := range map[string]*Session{
		"delta": NewDeltaSession(store.Publish(clusters), DefaultAckTimeout, 0),
		"sotw":  NewSotwSession(store.Publish(scopes), DefaultAckTimeout),
	} {
		s.Publish(store.Latest())
		for _, typ := range []Type{Cluster, ScopedRoute} {
			s.Request(&Request{Type: typ})
			_, r := s.Next(now)
			s.Request(&Request{Type: typ, Nonce: r.Nonce, Version: r.Version})
		}
		if _, r := s.Next(now); r != nil {
			t.Fatalf("%s: not quiet: %s", name, text(r))
		}
		if n := testing.AllocsPerRun(100, func() { s.Next(now) }); n > 0 {
			t.Errorf("%s: a step that sends nothing costs %v allocations", name, n)
		}
	}
}

// counter returns the sum of a counter or gauge over its labels.
func counter(t *testing.T, s *Server, name string) (sum float64) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Metrics())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// The service is what grpcurl and Envoy expect; its messages are well-formed.
func TestResponsesAreWellFormed(t *testing.T) {
	store := NewStore()
	snap := store.Publish(changes(t, "cluster docs@1\ncluster shop@1"))
	s := NewDeltaSession(snap, DefaultAckTimeout, 0)
	s.Request(&Request{Type: Cluster, Subscribe: []string{wildcard, "gone"}})
	_, r := s.Next(time.Unix(0, 0))
	var d discovery.DeltaDiscoveryResponse
	unmarshal(t, r, &d)
	if !slices.Equal(namesIn(&d), []string{"docs@1", "shop@1", "-gone"}) || d.GetTypeUrl() != Cluster.URL() || d.GetNonce() != "1" || d.GetSystemVersionInfo() == "" {
		t.Errorf("delta: %v", &d)
	}

	w := NewSotwSession(snap, DefaultAckTimeout)
	w.Request(&Request{Type: Cluster})
	_, r = w.Next(time.Unix(0, 0))
	var f discovery.DiscoveryResponse
	unmarshal(t, r, &f)
	if len(f.GetResources()) != 2 || f.GetTypeUrl() != Cluster.URL() || f.GetNonce() != "1" || f.GetVersionInfo() != d.GetSystemVersionInfo() {
		t.Errorf("state of the world: %v", &f)
	}
	for _, any := range f.GetResources() {
		m, err := any.UnmarshalNew()
		if err != nil || m.(*cluster.Cluster).GetAltStatName() != "1" {
			t.Errorf("%v: %v", any, err)
		}
	}
}

func unmarshal(t *testing.T, r *Response, m proto.Message) {
	t.Helper()
	var b bytes.Buffer
	for _, part := range r.encode() {
		b.Write(part.ReadOnlyData())
	}
	if err := proto.Unmarshal(b.Bytes(), m); err != nil {
		t.Fatal(err)
	}
}
