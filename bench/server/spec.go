package server

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/bench/sites"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// Kind is one of the servers that are compared.
type Kind string

// The kinds.
const (
	Ours     Kind = "ours"     // xds.Server, xds.Store, translate.World and control.Loop, as in the program
	Floor    Kind = "floor"    // sends ready bytes
	Snapshot Kind = "snapshot" // go-control-plane's SnapshotCache as most use it
	Tuned    Kind = "tuned"    // the same with every saving that its interface allows
	Linear   Kind = "linear"   // go-control-plane's LinearCaches
)

// Spec is what one process serves.
type Spec struct {
	Kind  Kind
	Sites int
	// Sotw: the protocol is state of the world. Single: all routes are one
	// resource. Snapshot and Tuned always have Single.
	Sotw, Single bool
}

// Configuration returns what proxies of such a server ask for.
func (s Spec) Configuration() load.Configuration {
	return load.Configuration{
		Sotw: s.Sotw, Single: s.Single || s.Kind == Snapshot || s.Kind == Tuned,
		Sites: s.Sites, Clusters: sites.Of(s.Sites).Clusters(),
	}
}

func (s Spec) options() translate.Options {
	if s.Configuration().Single {
		return translate.Options{Routes: translate.RoutesSingle}
	}
	return translate.Options{}
}

// Change is what can be done to one site.
type Change string

// The changes.
const (
	Turn   Change = "turn"   // its route leads to another Service
	Move   Change = "move"   // a pod is replaced
	Rename Change = "rename" // its domain
)

// Target is a server that is measured.
type Target interface {
	// Serve serves until ctx ends.
	Serve(ctx context.Context, address string) error
	// Change makes the k-th change of a kind and does not wait for anyone.
	Change(c Change, k int) error
}

// New returns the server of a spec, ready to serve. Prepared is the file that
// Prepare wrote, for the floor.
func New(ctx context.Context, spec Spec, prepared string) (Target, error) {
	switch spec.Kind {
	case Ours:
		return newOurs(ctx, spec)
	case Floor:
		return newFloor(prepared)
	case Snapshot, Tuned:
		return newSnapshotCache(ctx, spec)
	case Linear:
		return newLinearCaches(ctx, spec)
	}
	return nil, fmt.Errorf("there is no server of kind %q", spec.Kind)
}

// serve serves gRPC with the options that ours has, so that no difference comes
// from there.
func serve(ctx context.Context, address string, register func(grpc.ServiceRegistrar), options ...grpc.ServerOption) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	g := grpc.NewServer(append(options,
		grpc.MaxRecvMsgSize(64<<20),
		grpc.SharedWriteBuffer(true),
		grpc.StaticStreamWindowSize(64<<10),
		grpc.StaticConnWindowSize(1<<20),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	)...)
	register(g)
	stop := context.AfterFunc(ctx, g.Stop)
	defer stop()
	return g.Serve(listener)
}

// changedBy returns the object that the k-th change of a kind leaves behind.
func changedBy(set sites.Set, c Change, k int) object.Object {
	switch c {
	case Move:
		return set.Move(k)
	case Rename:
		return set.Rename(k)
	}
	return set.Turn(k)
}
