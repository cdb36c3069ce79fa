package xds

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	grpcstatus "google.golang.org/grpc/status"
)

// faulty is a service whose methods panic.
var faulty = grpc.ServiceDesc{
	ServiceName: "test.Faulty", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Call", Handler: func(server any, ctx context.Context, _ func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		return intercept(ctx, nil, &grpc.UnaryServerInfo{Server: server, FullMethod: "/test.Faulty/Call"}, func(context.Context, any) (any, error) { panic("at the disco") })
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Stream", ServerStreams: true, ClientStreams: true, Handler: func(any, grpc.ServerStream) error { panic("at the disco") }}},
}

// panicking is a stream whose requests cannot be read.
type panicking struct {
	grpc.ServerStream
	ctx context.Context
}

func (p panicking) Context() context.Context { return p.ctx }
func (p panicking) RecvMsg(any) error        { panic("at the disco") }

// A panic ends the call that it is in, whichever of its goroutines it is in. It is
// counted, logged without being told to the client, and others do not notice.
func TestPanicsEndTheirCallOnly(t *testing.T) {
	core, logs := observer.New(zapcore.ErrorLevel)
	h := serve(t, zap.New(core), nil)
	h.publish("docs@1")
	c := h.connectDelta()
	c.send(askDelta(Cluster))
	r := c.recv()
	expectNames(t, r, "docs@1")
	c.send(ackDelta(r))

	g := h.server.Open("", func(r grpc.ServiceRegistrar) { r.RegisterService(&faulty, struct{}{}) }).NewGRPCServer(h.server.containing()...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); g.Serve(listener) }()
	t.Cleanup(func() { g.Stop(); <-done })
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	health := healthpb.NewHealthClient(conn)
	unary := conn.Invoke(h.ctx, "/test.Faulty/Call", &healthpb.HealthCheckRequest{}, &healthpb.HealthCheckResponse{})
	stream, err := conn.NewStream(h.ctx, &faulty.Streams[0], "/test.Faulty/Stream")
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"a call": unary, "a stream": stream.RecvMsg(&healthpb.HealthCheckResponse{}),
		"the reader of a stream": h.server.serve(panicking{ctx: h.ctx}, true, newDeltaSession),
	} {
		if grpcstatus.Code(err) != codes.Internal || strings.Contains(err.Error(), "disco") {
			t.Errorf("%s that panics ends with %v", what, err)
		}
	}
	if _, err := health.Check(h.ctx, &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("on the same connection: %v", err)
	}
	h.publish("docs@2")
	expectNames(t, c.recv(), "docs@2")
	var counted dto.Metric
	if err := h.server.metrics.panics.Write(&counted); err != nil || counted.GetCounter().GetValue() != 3 {
		t.Errorf("%v panics are counted, %v", counted.GetCounter().GetValue(), err)
	}
	if n := logs.FilterMessage("panic: this call ends, the others go on").Len(); n != 3 {
		t.Errorf("%d panics are logged", n)
	}
}

// Who connects and says nothing, or does not speak HTTP/2, is not waited for.
func TestSilentConnectionsAreClosed(t *testing.T) {
	h := serve(t, zap.NewNop(), func(s *Server) { s.handshakeTimeout = 100 * time.Millisecond })
	h.publish("docs@1")
	c := h.connectDelta()
	c.send(askDelta(Cluster))
	r := c.recv()
	expectNames(t, r, "docs@1")
	c.send(ackDelta(r))
	says := []string{"", "P", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", http2.ClientPreface}
	var conns []net.Conn
	for i := range 100 {
		conn, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, says[i%len(says)])
		conns = append(conns, conn)
	}
	for i, conn := range conns {
		if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Fatalf("after %q: %v", says[i%len(says)], err)
		}
	}
	h.publish("docs@2")
	expectNames(t, c.recv(), "docs@2")
}

// A connection may have so many calls at a time, and not one more, nor a hundred
// times as many; others do not notice.
func TestStreamsOfAConnectionAreBounded(t *testing.T) {
	h := serve(t, zap.NewNop(), nil)
	h.publish("docs@1")
	c := h.connectDelta()
	c.send(askDelta(Cluster))
	r := c.recv()
	expectNames(t, r, "docs@1")
	c.send(ackDelta(r))
	for _, past := range []int{1, 100 * maxStreams} {
		conn, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, http2.ClientPreface)
		framer := http2.NewFramer(conn, conn)
		framer.WriteSettings()
		var headers bytes.Buffer
		encoder := hpack.NewEncoder(&headers)
		go func() { // Its errors are the reader's: the server may have closed the connection.
			for i := range maxStreams + past {
				headers.Reset()
				for _, field := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", healthpb.Health_Watch_FullMethodName}, {":authority", "x"}, {"content-type", "application/grpc"}, {"te", "trailers"}} {
					encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
				}
				id := uint32(2*i + 1)
				if framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headers.Bytes(), EndHeaders: true}) != nil ||
					framer.WriteData(id, true, make([]byte, 5)) != nil {
					return
				}
			}
		}()
		refused := 0
		for refused < past {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatalf("after %d refusals: %v", refused, err)
			}
			if f, ok := frame.(*http2.RSTStreamFrame); ok {
				if f.ErrCode != http2.ErrCodeRefusedStream || f.StreamID <= 2*maxStreams {
					t.Fatalf("stream %d: %v", f.StreamID, f.ErrCode)
				}
				refused++
			}
		}
	}
	h.publish("docs@2")
	expectNames(t, c.recv(), "docs@2")
}
