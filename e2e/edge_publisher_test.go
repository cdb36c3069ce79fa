package e2e

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// A publisher is our translation and our xDS server with nothing between them that
// would keep a bad resource back: what a proxy refuses although our validation let
// it pass can be made by hand.
type publisher struct {
	address string                                   // where it listens
	reached string                                   // where proxies find it
	spoil   map[xds.ResourceName]func(proto.Message) // what is done to a resource

	layout  translate.RouteLayout
	objects map[object.Ref]object.Object // all that was published

	last  map[xds.ResourceName]translate.Resource // as last translated
	more  []translate.Resource                    // to be sent with the next
	store *xds.Store
	stop  func() // ends the server and waits for its end

	mu      sync.Mutex
	world   *translate.World
	kept    map[string]bool            // clusters that last good forms lead to
	streams map[uint64]xds.StreamState // connected
}

// newPublisher returns a publisher that listens once something is published.
func newPublisher(t *testing.T, layout translate.RouteLayout) *publisher {
	t.Helper()
	address := net.JoinHostPort(netns.Addr(9), xdsPort)
	p := &publisher{
		address: address, reached: address, spoil: make(map[xds.ResourceName]func(proto.Message)),
		layout: layout, objects: make(map[object.Ref]object.Object),
	}
	p.serve(t)
	t.Cleanup(func() { p.stop() })
	return p
}

// serve starts a server that knows nothing yet.
func (p *publisher) serve(t *testing.T) {
	p.world = translate.NewWorld(translate.Options{Routes: p.layout, HTTPPort: httpPort})
	p.last = make(map[xds.ResourceName]translate.Resource)
	p.store, p.streams, p.kept = xds.NewStore(), make(map[uint64]xds.StreamState), nil
	server := xds.NewServer(p.store, xds.DefaultAckTimeout, zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Serve(ctx, server.Open(p.address)); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { p.observe(t, ctx, server) })
	p.stop = func() {
		cancel()
		running.Wait()
	}
}

// observe notes what streams are known to hold, and serves what they go on with.
func (p *publisher) observe(t *testing.T, ctx context.Context, server *xds.Server) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-server.Observations().Ready():
		}
		p.mu.Lock()
		for id, state := range server.Observations().Take() {
			p.streams[id] = state
			if state.Closed {
				delete(p.streams, id)
			}
		}
		p.keep(t)
		p.mu.Unlock()
	}
}

// restart ends the server and starts one that has read the same objects.
func (p *publisher) restart(t *testing.T) {
	t.Helper()
	p.stop()
	p.serve(t)
	p.send(t, p.apply(maps.Clone(p.objects)))
}

// publish makes the objects part of the world, and what becomes of them visible to
// all proxies at once.
func (p *publisher) publish(t *testing.T, objects ...object.Object) {
	t.Helper()
	changes := make(map[object.Ref]object.Object)
	for _, object := range objects {
		changes[object.Ref()] = object
	}
	maps.Copy(p.objects, changes)
	p.send(t, p.apply(changes))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(t)
}

func (p *publisher) apply(changes map[object.Ref]object.Object) []translate.Resource {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.world.Apply(changes).Resources
}

// keep does what control.Loop does for the clusters that last good forms lead to.
func (p *publisher) keep(t *testing.T) {
	needed, changes := p.store.Needed(), make(map[object.Ref]object.Object)
	for name := range p.kept {
		changes[(&translate.Kept{Cluster: name}).Ref()] = nil
	}
	for name := range needed {
		kept := &translate.Kept{Cluster: name}
		changes[kept.Ref()] = kept
	}
	p.kept = needed
	if len(changes) == 0 {
		return
	}
	var out []xds.Change
	for _, r := range p.world.Apply(changes).Resources {
		typ, _ := xds.TypeByURL(r.Type)
		change := xds.Change{Type: typ, Name: r.Name}
		if r.Message != nil {
			var err error
			if change.Resource, err = xds.NewResource(typ, r.Message); err != nil {
				t.Error(err)
			}
		}
		out = append(out, change)
	}
	if len(out) > 0 {
		p.store.Publish(out)
	}
}

// change publishes a resource once more, spoiled as said or, for nil, as it should be.
func (p *publisher) change(t *testing.T, name xds.ResourceName, spoil func(proto.Message)) {
	t.Helper()
	p.spoil[name] = spoil
	p.send(t, []translate.Resource{p.last[name]})
}

// alsoSend makes a resource part of the next publication, spoiled as said.
func (p *publisher) alsoSend(name xds.ResourceName) { p.more = append(p.more, p.last[name]) }

func (p *publisher) send(t *testing.T, resources []translate.Resource) {
	t.Helper()
	resources = append(resources, p.more...)
	p.more = nil
	var out []xds.Change
	for _, r := range resources {
		typ, ok := xds.TypeByURL(r.Type)
		if !ok {
			t.Fatalf("%s is not served", r.Type)
		}
		name := xds.ResourceName{Type: typ, Name: r.Name}
		p.last[name] = r
		change := xds.Change{Type: typ, Name: r.Name}
		if r.Message != nil {
			var err error
			change.Resource, err = xds.NewResource(typ, p.spoiled(name, r.Message))
			must(t, err)
			change.Resource.Again, change.Resource.Needs = r.Again, r.Needs
		}
		out = append(out, change)
	}
	p.store.Publish(out)
}

// spoiled returns a message as it is to be sent.
func (p *publisher) spoiled(name xds.ResourceName, message proto.Message) proto.Message {
	spoil := p.spoil[name]
	if spoil == nil {
		return message
	}
	message = proto.Clone(message)
	spoil(message)
	return message
}

// states returns what streams are known to hold, by stream.
func (p *publisher) states() map[uint64]xds.StreamState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.streams)
}

// refusals returns what proxies said of a resource, each once.
func (p *publisher) refusals(typ xds.Type, name string) []string {
	said := make(map[string]bool)
	for _, state := range p.states() {
		if e, ok := state.Exceptions[xds.ResourceName{Type: typ, Name: name}]; ok && e.Refused {
			said[e.Reason] = true
		}
	}
	return slices.Sorted(maps.Keys(said))
}

// bootstrap is for an Envoy of the publisher.
func (p *publisher) bootstrap(t *testing.T, ctx context.Context, sotw bool) string {
	t.Helper()
	text, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: p.reached, NodeID: "envoy", SOTW: sotw})
	must(t, err)
	return text
}

// onPod is a Service in namespace docs with one endpoint.
func onPod(name string, pod *backend.Backend) []object.Object {
	host, port, err := net.SplitHostPort(pod.Address())
	if err != nil {
		panic(err)
	}
	n, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		panic(err)
	}
	return []object.Object{
		&object.Service{Key: object.Key{Namespace: "docs", Name: name}, Ports: []object.ServicePort{{Port: 80}}},
		&object.Slice{
			Key: object.Key{Namespace: "docs", Name: name + "-1"}, Service: name, AddressType: "IPv4",
			Ports:     []object.SlicePort{{Port: int32(n)}},
			Endpoints: []object.Endpoint{{Address: host, Ready: true}},
		},
	}
}

// numbered is a site in namespace docs, of a Service there.
func numbered(n int, service string) *object.Site {
	return &object.Site{
		Key: object.Key{Namespace: "docs", Name: fmt.Sprintf("site-%02d", n)}, Generation: 1,
		Domain: domain(n), Service: service, Port: 80,
	}
}

func domain(n int) string { return fmt.Sprintf("site-%02d.example.com", n) }
