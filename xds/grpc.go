package xds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
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

// A Port is where a server listens, and what it serves there.
type Port struct {
	Flag    string // which names the address
	Address string
	Options []grpc.ServerOption // how it is locked, if it is

	// Services are what is served beside gRPC health. Those of others must end
	// their streams when Serve's ctx ends.
	Services []func(grpc.ServiceRegistrar)

	// Reflection tells who asks what is served, so that grpcurl needs no
	// descriptions of its own.
	Reflection bool
}

// NewGRPCServer returns a server of a port's services, which is not started.
func (p Port) NewGRPCServer(options ...grpc.ServerOption) *grpc.Server {
	g := grpc.NewServer(append(options, p.Options...)...)
	for _, register := range p.Services {
		register(g)
	}
	healthpb.RegisterHealthServer(g, health.NewServer())
	if p.Reflection {
		reflection.Register(g)
	}
	return g
}

// Serve listens on all ports once something was published, and serves until ctx
// ends. It fails when it cannot listen on one of them.
func (s *Server) Serve(ctx context.Context, ports ...Port) error {
	select {
	case <-s.store.Published(): // Rule 34: until then the ports are closed.
	case <-ctx.Done():
		return nil
	}
	listeners := make([]net.Listener, len(ports))
	for i, port := range ports {
		var err error
		if listeners[i], err = net.Listen("tcp", port.Address); err != nil {
			for _, l := range listeners[:i] {
				l.Close()
			}
			return fmt.Errorf("listen (%s=%s): %w", port.Flag, port.Address, err)
		}
	}
	s.listening.Store(true)
	defer s.listening.Store(false)
	group, ctx := errgroup.WithContext(ctx)
	for i, port := range ports {
		group.Go(func() error { return s.serveOn(ctx, listeners[i], port) })
	}
	return group.Wait()
}

// serveOn serves a port on a listener until ctx ends, and closes it.
func (s *Server) serveOn(ctx context.Context, listener net.Listener, port Port) error {
	g := port.NewGRPCServer(append(s.containing(),
		grpc.ForceServerCodecV2(Codec()),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(s.handshakeTimeout),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.SharedWriteBuffer(true),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
		// A client that is gone without a word is noticed within half a minute; one
		// that does not read is ended by this too, never by a send timeout (rule 70).
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// Rule 71: clients may ping as often as they reasonably want.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: s.minPing, PermitWithoutStream: true}),
	)...)
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
	if ctx.Err() == nil {
		return fmt.Errorf("serve (%s=%s): %w", port.Flag, listener.Addr(), err)
	}
	<-stopped
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}
