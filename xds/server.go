package xds

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	csds "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"my-company.com/staticsite-operator/latest"
)

// DefaultAckTimeout is how long later stages wait for an answer (rule 47).
const DefaultAckTimeout = 5 * time.Second

// Server serves a Store's snapshots as an aggregated discovery service. The gRPC
// server that it is registered with must use Codec.
type Server struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer

	store            *Store
	log              *zap.Logger
	ackTimeout       time.Duration
	minPing          time.Duration
	handshakeTimeout time.Duration
	metrics          *Metrics
	identifier       string // control_plane.identifier of responses; set before the server serves
	observations     *latest.Map[uint64, StreamState]

	admission admission
	streams   atomic.Uint64 // ids given out
	drain     chan struct{} // closed by Drain

	listening atomic.Bool
	clients   sync.Map // *stream by id: who is connected
	once      sync.Once

	logged onceEach // refused versions, unknown types
}

// NewServer returns a server of a store.
func NewServer(store *Store, ackTimeout time.Duration, log *zap.Logger) *Server {
	metrics := newMetrics()
	return &Server{
		store: store, log: log, ackTimeout: ackTimeout, minPing: minPing, handshakeTimeout: handshakeTimeout, metrics: metrics,
		observations: latest.New[uint64, StreamState](),
		admission:    admission{places: make(chan struct{}, places), time: placeTime, waiting: metrics.waiting},
		drain:        make(chan struct{}),
	}
}

// Identify sets what responses say of who sent them (control_plane.identifier), so that
// a person sees in a dump of a proxy which replica of which build served it. It must be
// called before the server serves.
func (s *Server) Identify(identifier string) { s.identifier = identifier }

// RegisterADS adds the aggregated discovery service: no service of a single type, no
// Fetch.
func (s *Server) RegisterADS(r grpc.ServiceRegistrar) {
	discovery.RegisterAggregatedDiscoveryServiceServer(r, s)
}

// RegisterClientStatus adds the client status discovery service, which tells people
// what became of what was served.
func (s *Server) RegisterClientStatus(r grpc.ServiceRegistrar) {
	csds.RegisterClientStatusDiscoveryServiceServer(r, clientStatus{server: s})
}

// Open returns a port where everybody who reaches it may have everything.
func (s *Server) Open(address string, others ...func(grpc.ServiceRegistrar)) Port {
	return Port{Flag: "--xds-bind-address", Address: address, Reflection: true,
		Services: append([]func(grpc.ServiceRegistrar){s.RegisterADS, s.RegisterClientStatus}, others...)}
}

// Observations are the states of the streams, by id, as they change.
func (s *Server) Observations() *latest.Map[uint64, StreamState] { return s.observations }

// Metrics returns the server's metrics, to be registered.
func (s *Server) Metrics() *Metrics { return s.metrics }

// connected returns the connected streams, oldest first.
func (s *Server) connected() (streams []*stream) {
	for _, st := range s.clients.Range {
		streams = append(streams, st.(*stream))
	}
	slices.SortFunc(streams, func(a, b *stream) int { return cmp.Compare(a.id, b.id) })
	return streams
}

// Listening reports whether proxies can connect now.
func (s *Server) Listening() bool { return s.listening.Load() }

// Drain ends all streams, and those that come after. Clients connect again,
// elsewhere; a graceful stop alone would wait for them for ever (rule 72).
func (s *Server) Drain() {
	s.once.Do(func() { close(s.drain) })
	for _, st := range s.connected() {
		st.end(errDraining)
	}
}

// StreamAggregatedResources serves state of the world.
func (s *Server) StreamAggregatedResources(g discovery.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	return s.serve(g, false, NewSotwSession)
}

// DeltaAggregatedResources serves delta.
func (s *Server) DeltaAggregatedResources(g discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return s.serve(g, true, newDeltaSession)
}

// newDeltaSession counts attempts from the time: a client that comes back has
// another, on whichever replica.
func newDeltaSession(snap *Snapshot, ackTimeout time.Duration) *Session {
	return NewDeltaSession(snap, ackTimeout, int(time.Now().UnixMilli()))
}
