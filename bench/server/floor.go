package server

import (
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"sync/atomic"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// floor is what the wire itself costs: a bare gRPC stream on which ready bytes
// are sent, and answers are read and forgotten. It knows no protocol.
type floor struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer

	first   map[string]ready
	changes map[Change][]ready
	latest  atomic.Pointer[event]
}

// ready is a response as bytes, which all streams share.
type ready struct{ body mem.BufferSlice }

// event is a change that all streams are to send.
type event struct {
	body ready
	next chan struct{} // closed when there is a newer one
}

func newFloor(file string) (Target, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var p prepared
	if err := gob.NewDecoder(f).Decode(&p); err != nil {
		return nil, fmt.Errorf("read what the floor is to send: %w", err)
	}
	fl := &floor{first: make(map[string]ready), changes: make(map[Change][]ready)}
	for url, b := range p.First {
		fl.first[url] = ready{mem.BufferSlice{mem.SliceBuffer(b)}}
	}
	for c, bodies := range p.Changes {
		for _, b := range bodies {
			fl.changes[c] = append(fl.changes[c], ready{mem.BufferSlice{mem.SliceBuffer(b)}})
		}
	}
	fl.latest.Store(&event{next: make(chan struct{})})
	return fl, nil
}

func (f *floor) Serve(ctx context.Context, address string) error {
	return serve(ctx, address,
		func(r grpc.ServiceRegistrar) { discovery.RegisterAggregatedDiscoveryServiceServer(r, f) },
		grpc.ForceServerCodecV2(readyCodec{encoding.GetCodecV2(proto.Name)}))
}

func (f *floor) Change(c Change, k int) error {
	bodies := f.changes[c]
	if len(bodies) == 0 {
		return fmt.Errorf("no change of kind %q was prepared", c)
	}
	next := &event{bodies[k%len(bodies)], make(chan struct{})}
	close(f.latest.Swap(next).next)
	return nil
}

func (f *floor) StreamAggregatedResources(g discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	return f.stream(g, func() (string, error) {
		r := new(discovery.DiscoveryRequest)
		if err := g.RecvMsg(r); err != nil || r.GetResponseNonce() != "" {
			return "", err
		}
		return r.GetTypeUrl(), nil
	})
}

func (f *floor) DeltaAggregatedResources(g discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return f.stream(g, func() (string, error) {
		r := new(discovery.DeltaDiscoveryRequest)
		if err := g.RecvMsg(r); err != nil || r.GetResponseNonce() != "" {
			return "", err
		}
		return r.GetTypeUrl(), nil
	})
}

// stream serves one client. Recv returns the type of a first request, and
// nothing for an answer.
func (f *floor) stream(g grpc.ServerStream, recv func() (string, error)) error {
	asked := make(chan string)
	go func() {
		defer close(asked)
		for {
			url, err := recv()
			if err != nil {
				return
			}
			if url == "" {
				continue
			}
			select {
			case asked <- url:
			case <-g.Context().Done():
				return
			}
		}
	}()
	at := f.latest.Load()
	for {
		var body ready
		select {
		case url, more := <-asked:
			if !more {
				return nil
			}
			body = f.first[url]
		case <-at.next:
			at = f.latest.Load()
			body = at.body
		}
		if err := g.SendMsg(body); err != nil {
			return err
		}
	}
}

type readyCodec struct{ encoding.CodecV2 }

func (c readyCodec) Marshal(v any) (mem.BufferSlice, error) {
	if r, ok := v.(ready); ok {
		return r.body, nil
	}
	return c.CodecV2.Marshal(v)
}
