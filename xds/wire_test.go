package xds

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// No stream, reader or server may outlive its test.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come. It ends what hangs: with the
// race detector the test of limits alone encodes a gigabyte, which took 25 s.
const patience = 2 * time.Minute

// harness is a server on a port of its own, and who connects to it.
type harness struct {
	*testing.T
	store  *Store
	server *Server
	addr   string
	ctx    context.Context
}

// serve starts a server for the time of the test. Prepare changes it before it
// starts.
func serve(t *testing.T, log *zap.Logger, prepare func(*Server)) *harness {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	store := NewStore()
	h := &harness{T: t, store: store, server: NewServer(store, DefaultAckTimeout, log), addr: listener.Addr().String()}
	if prepare != nil {
		prepare(h.server)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- h.server.serveOn(ctx, listener, h.server.Open("")) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	var cancel context.CancelFunc
	h.ctx, cancel = context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return h
}

// publish publishes clusters, each "NAME@VERSION" or "-NAME".
func (h *harness) publish(clusters ...string) *Snapshot {
	h.Helper()
	var in []Change
	for _, c := range clusters {
		in = append(in, changes(h.T, "cluster "+c)...)
	}
	return h.store.Publish(in)
}

// dial opens a connection.
func (h *harness) dial(opts ...grpc.DialOption) *grpc.ClientConn {
	h.Helper()
	opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(h.addr, opts...)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { conn.Close() })
	return conn
}

// wireClient is a client played by hand. Q and R are its protocol's requests and
// responses.
type wireClient[Q, R any] struct {
	*harness
	stream grpc.BidiStreamingClient[Q, R]
	end    context.CancelFunc
}

type (
	deltaClient = wireClient[discovery.DeltaDiscoveryRequest, discovery.DeltaDiscoveryResponse]
	sotwClient  = wireClient[discovery.DiscoveryRequest, discovery.DiscoveryResponse]
)

func (h *harness) connectDelta(opts ...grpc.DialOption) *deltaClient {
	h.Helper()
	ctx, end := context.WithCancel(h.ctx)
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(h.dial(opts...)).DeltaAggregatedResources(ctx)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(end)
	return &deltaClient{h, stream, end}
}

func (h *harness) connectSotw(opts ...grpc.DialOption) *sotwClient {
	h.Helper()
	ctx, end := context.WithCancel(h.ctx)
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(h.dial(opts...)).StreamAggregatedResources(ctx)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(end)
	return &sotwClient{h, stream, end}
}

func (c *wireClient[Q, R]) send(r *Q) {
	c.Helper()
	// The stream may have ended; Recv says why.
	if err := c.stream.Send(r); err != nil && !errors.Is(err, io.EOF) {
		c.Fatal(err)
	}
}

func (c *wireClient[Q, R]) recv() *R {
	c.Helper()
	r, err := c.stream.Recv()
	if err != nil {
		c.Fatal(err)
	}
	return r
}

// fails returns the error that the stream ends with.
func (c *wireClient[Q, R]) fails() error {
	c.Helper()
	for {
		if _, err := c.stream.Recv(); err != nil {
			return err
		}
	}
}

// ask sends the first request of a type.
func askDelta(t Type, names ...string) *discovery.DeltaDiscoveryRequest {
	return &discovery.DeltaDiscoveryRequest{TypeUrl: t.URL(), ResourceNamesSubscribe: names}
}

func ackDelta(r *discovery.DeltaDiscoveryResponse) *discovery.DeltaDiscoveryRequest {
	return &discovery.DeltaDiscoveryRequest{TypeUrl: r.GetTypeUrl(), ResponseNonce: r.GetNonce()}
}

func nackDelta(r *discovery.DeltaDiscoveryResponse, reason string) *discovery.DeltaDiscoveryRequest {
	n := ackDelta(r)
	n.ErrorDetail = &status.Status{Message: reason}
	return n
}

func ackSotw(r *discovery.DiscoveryResponse) *discovery.DiscoveryRequest {
	return &discovery.DiscoveryRequest{TypeUrl: r.GetTypeUrl(), ResponseNonce: r.GetNonce(), VersionInfo: r.GetVersionInfo()}
}

func node(id string) *core.Node { return &core.Node{Id: id} }

// names returns what is in a response, "NAME@VERSION" and "-NAME", in order.
func namesIn(r *discovery.DeltaDiscoveryResponse) []string {
	var out []string
	for _, res := range r.GetResources() {
		out = append(out, res.GetName()+"@"+res.GetVersion())
	}
	slices.Sort(out)
	for _, name := range r.GetRemovedResources() {
		out = append(out, "-"+name)
	}
	return out
}

func expectNames(t *testing.T, r *discovery.DeltaDiscoveryResponse, want ...string) {
	t.Helper()
	if got := namesIn(r); !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// state waits until the observation of a stream satisfies a condition.
func (h *harness) state(what string, ok func(StreamState) bool) StreamState {
	h.Helper()
	for {
		for _, s := range h.server.Observations().Take() {
			if ok(s) {
				return s
			}
		}
		select {
		case <-h.server.Observations().Ready():
		case <-h.ctx.Done():
			h.Fatalf("never observed: %s", what)
		}
	}
}

// Who looks into a proxy sees which replica of which build served it, in whatever is
// sent.
func TestResponsesSayWhoSentThem(t *testing.T) {
	const who = "replica-1 staticsite-operator/v1"
	h := serve(t, zap.NewNop(), func(s *Server) { s.Identify(who) })
	h.publish("docs@1")

	c := h.connectDelta()
	c.send(askDelta(Cluster))
	if got := c.recv().GetControlPlane().GetIdentifier(); got != who {
		t.Errorf("a delta response is from %q", got)
	}
	c.send(&discovery.DeltaDiscoveryRequest{TypeUrl: "type.googleapis.com/nobody.Serves", ResourceNamesSubscribe: []string{"a"}})
	if got := c.recv().GetControlPlane().GetIdentifier(); got != who {
		t.Errorf("a response of a type that is not served is from %q", got)
	}
	s := h.connectSotw()
	s.send(&discovery.DiscoveryRequest{TypeUrl: Cluster.URL()})
	if got := s.recv().GetControlPlane().GetIdentifier(); got != who {
		t.Errorf("a state-of-the-world response is from %q", got)
	}
}
