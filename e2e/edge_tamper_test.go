package e2e

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"my-company.com/staticsite-operator/xds"
)

// A tamperer stands between our server and proxies, and changes resources on
// their way: what only a proxy can refuse, whatever we check before.
type tamperer struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	address string
	server  discoveryv3.AggregatedDiscoveryServiceClient

	mu     sync.Mutex
	spoil  map[xds.ResourceName]func(proto.Message)
	passed []xds.ResourceName // upserts and removals, since the last call of taken
	err    error              // the first resource that could not be changed
}

// tamper starts a tamperer before the server at an address.
func tamper(t *testing.T, server, listen string) *tamperer {
	t.Helper()
	conn, err := grpc.NewClient(server, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	must(t, err)
	listener, err := net.Listen("tcp", listen)
	must(t, err)
	p := &tamperer{
		address: listen, server: discoveryv3.NewAggregatedDiscoveryServiceClient(conn),
		spoil: make(map[xds.ResourceName]func(proto.Message)),
	}
	g := grpc.NewServer()
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(g, p)
	var running sync.WaitGroup
	running.Go(func() { g.Serve(listener) }) // ends with Stop
	t.Cleanup(func() {
		g.Stop()
		running.Wait()
		conn.Close()
		if p.err != nil {
			t.Error(p.err)
		}
	})
	return p
}

// change says what is done to a resource from now on; nil: nothing.
func (p *tamperer) change(name xds.ResourceName, spoil func(proto.Message)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil[name] = spoil
}

// taken returns what went to proxies since the last call.
func (p *tamperer) taken() []xds.ResourceName {
	p.mu.Lock()
	defer p.mu.Unlock()
	passed := p.passed
	p.passed = nil
	return passed
}

// DeltaAggregatedResources passes on what both sides say until one ends.
func (p *tamperer) DeltaAggregatedResources(proxy discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	ctx, cancel := context.WithCancel(proxy.Context())
	defer cancel()
	server, err := p.server.DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	ends := make(chan error, 2)
	go func() { ends <- pass(proxy.Recv, server.Send) }()
	go func() {
		ends <- pass(server.Recv, func(r *discoveryv3.DeltaDiscoveryResponse) error {
			p.tamper(r)
			return proxy.Send(r)
		})
	}()
	return <-ends
}

func pass[T any](from func() (T, error), to func(T) error) error {
	for {
		m, err := from()
		if err == nil {
			err = to(m)
		}
		if err != nil {
			return err
		}
	}
}

func (p *tamperer) tamper(r *discoveryv3.DeltaDiscoveryResponse) {
	p.mu.Lock()
	defer p.mu.Unlock()
	typ, ok := xds.TypeByURL(r.TypeUrl)
	if !ok {
		return
	}
	for _, resource := range r.Resources {
		name := xds.ResourceName{Type: typ, Name: resource.Name}
		p.passed = append(p.passed, name)
		if spoil := p.spoil[name]; spoil != nil {
			p.err = errors.Join(p.err, respoil(resource.Resource, spoil))
		}
	}
	for _, name := range r.RemovedResources {
		p.passed = append(p.passed, xds.ResourceName{Type: typ, Name: name})
	}
}

func respoil(wrapped *anypb.Any, spoil func(proto.Message)) error {
	message, err := wrapped.UnmarshalNew()
	if err != nil {
		return err
	}
	spoil(message)
	return wrapped.MarshalFrom(message)
}
