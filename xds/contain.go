package xds

import (
	"context"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Bounds of what one connection may cost, whoever made it.
const (
	// maxStreams is how many calls a connection may have at a time. A proxy has one
	// stream, a person a few calls.
	maxStreams = 100

	// handshakeTimeout is how long a connection may take to speak TLS, if it must,
	// and HTTP/2.
	handshakeTimeout = 10 * time.Second
)

// errPanicked says no more: what a panic has in its words may be a tenant's.
var errPanicked = status.Error(codes.Internal, "this call met a fault of the server, which is in its log")

// contain is deferred where a call's own code runs. A panic there ends this call and
// no other; it is counted and logged with its stack, for it is a fault of ours.
func (s *Server) contain(method string, end func(error)) {
	panicked := recover()
	if panicked == nil {
		return
	}
	s.metrics.panics.Inc()
	s.log.Error("panic: this call ends, the others go on", zap.String("method", method), zap.Any("panic", panicked), zap.ByteString("stack", debug.Stack()))
	end(errPanicked)
}

// containing has every method of a port be contained.
func (s *Server) containing() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
			defer s.contain(info.FullMethod, func(e error) { err = e })
			return handle(ctx, request)
		}),
		grpc.ChainStreamInterceptor(func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
			defer s.contain(info.FullMethod, func(e error) { err = e })
			return handle(server, stream)
		}),
	}
}
