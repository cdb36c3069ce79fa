package xds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
)

const (
	// maxRequest is the largest request that is accepted: a client that holds
	// 100,000 resources claims each by name and version when it connects again,
	// 5 to 7 MB (rule 66). Larger ones are RESOURCE_EXHAUSTED.
	maxRequest = 32 << 20

	// streamWindow is what a client may send before its stream is read: one that
	// waits to be admitted costs no more. It slows down no request that is read,
	// for which gRPC opens the window as far as is needed, up to connWindow.
	streamWindow = 64 << 10
	connWindow   = 1 << 20

	// minPing is how often a client may ping (rule 71).
	minPing = 5 * time.Second

	// stopTimeout is how long streams may take to end (rule 72).
	stopTimeout = 5 * time.Second
)

// Serve listens on address once something was published, and serves until ctx
// ends: the discovery service, gRPC health, and reflection, so that grpcurl needs
// no descriptions of its own; besides, what others register, which must end its
// streams when ctx ends. It fails when it cannot listen.
func (s *Server) Serve(ctx context.Context, address string, others ...func(grpc.ServiceRegistrar)) error {
	select {
	case <-s.store.Published(): // Rule 34: until then the port is closed.
	case <-ctx.Done():
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for proxies (--xds-bind-address=%s): %w", address, err)
	}
	return s.serveOn(ctx, listener, others...)
}

// serveOn serves on a listener until ctx ends, and closes it.
func (s *Server) serveOn(ctx context.Context, listener net.Listener, others ...func(grpc.ServiceRegistrar)) error {
	s.listening.Store(true)
	g := grpc.NewServer(
		grpc.ForceServerCodecV2(Codec()),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.SharedWriteBuffer(true),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
		// A client that is gone without a word is noticed within half a minute; one
		// that does not read is ended by this too, never by a send timeout (rule 70).
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// Rule 71: clients may ping as often as they reasonably want.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: s.minPing, PermitWithoutStream: true}),
	)
	s.Register(g)
	for _, register := range others {
		register(g)
	}
	healthpb.RegisterHealthServer(g, health.NewServer())
	reflection.Register(g)

	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		s.Drain()
		force := time.AfterFunc(stopTimeout, g.Stop)
		defer force.Stop()
		g.GracefulStop()
	}()
	err := g.Serve(listener)
	s.listening.Store(false)
	if ctx.Err() == nil {
		return fmt.Errorf("serve proxies on %s: %w", listener.Addr(), err)
	}
	<-stopped
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}
