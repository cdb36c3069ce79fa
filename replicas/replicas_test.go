package replicas

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/control"
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/replicas/replicasv1"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A replica is one without its sources and proxies: the test says what happens to
// these, and the rest is real.
type replica struct {
	*Client
	t         *testing.T
	address   netip.AddrPort
	loop      *control.Loop
	store     *xds.Store
	objects   *latest.Map[object.Ref, object.Object]
	streams   *latest.Map[uint64, xds.StreamState]
	endpoints *latest.Map[string, []netip.AddrPort]
	terms     chan (<-chan struct{})
	server    *grpc.Server
	statuses  map[object.Key]sitestatus.Status
	stop      func() // ends all but its server
}

func newReplica(t *testing.T, id ID, build string) *replica {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{
		t: t, address: listener.Addr().(*net.TCPAddr).AddrPort(), store: xds.NewStore(),
		objects:   latest.New[object.Ref, object.Object](),
		streams:   latest.New[uint64, xds.StreamState](),
		endpoints: latest.New[string, []netip.AddrPort](),
		terms:     make(chan (<-chan struct{})),
		server:    grpc.NewServer(grpc.ForceServerCodecV2(xds.Codec())),
		statuses:  make(map[object.Key]sitestatus.Status),
	}
	log := zaptest.NewLogger(t).Named(fmt.Sprint(id))
	loop := control.NewLoop(translate.Options{}, r.objects, r.store, r.streams, log)
	r.loop = loop
	loop.Follow(build)
	NewServer(loop, id, build).Register(r.server)
	r.Client = NewClient(loop, id, r.endpoints, insecure.NewCredentials(), log)

	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	done := make(chan struct{}, 3)
	go func() { loop.Run(ctx); done <- struct{}{} }()
	go func() { r.Run(ctx, r.terms); done <- struct{}{} }()
	go func() { r.server.Serve(listener); done <- struct{}{} }()
	t.Cleanup(func() {
		stop()
		<-done
		<-done
		r.server.GracefulStop() // hangs if a stream outlives the loop
		<-done
	})
	return r
}

// lead makes it the leader until the returned function is called.
func (r *replica) lead(all ...netip.AddrPort) (end func()) {
	r.endpoints.PutAll(map[string][]netip.AddrPort{"slice": all})
	over := make(chan struct{})
	r.terms <- over
	return func() { close(over) }
}

// site gives it a generation of a site and waits until it serves that.
func (r *replica) site(name string, generation int64) {
	r.t.Helper()
	site := &object.Site{Key: object.Key{Namespace: "docs", Name: name}, Generation: generation,
		Domain: name + ".example.com", Service: "web", Port: int32(80 + generation)}
	before := r.store.Latest()
	r.objects.Put(site.Ref(), site)
	for r.store.Latest() == before {
		time.Sleep(time.Millisecond)
	}
}

// proxy says that a proxy has acknowledged everything, but for a refused site.
func (r *replica) proxy(id uint64, refused ...string) {
	state := xds.StreamState{ID: id, Exceptions: make(map[xds.ResourceName]xds.Exception)}
	for _, typ := range []xds.Type{xds.Cluster, xds.Listener, xds.ScopedRoute} {
		state.Types[typ] = xds.TypeState{Active: true, Acked: r.store.Latest().Seq()}
	}
	for _, name := range refused {
		state.Exceptions[xds.ResourceName{Type: xds.ScopedRoute, Name: name + ".example.com"}] = xds.Exception{Refused: true, Reason: "missing ]: ["}
	}
	r.streams.Put(id, state)
}

// await waits until a site's status says something of its generation.
func (r *replica) await(name string, generation int64, want ...string) {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	key := object.Key{Namespace: "docs", Name: name}
	for {
		said := ""
		if s := r.statuses[key]; s.Generation == generation {
			said = s.Conditions[2].Reason + ": " + s.Conditions[2].Message
			missing := false
			for _, w := range want {
				missing = missing || !strings.Contains(said, w)
			}
			if !missing {
				return
			}
		}
		select {
		case <-r.loop.Statuses().Ready():
			for k, s := range r.loop.Statuses().Take() {
				r.statuses[k] = s
			}
		case <-deadline:
			r.t.Fatalf("generation %d of %s is %q, want %q", generation, name, said, want)
		}
	}
}

func TestTheLeaderHearsTheProxiesOfAll(t *testing.T) {
	a, b, c := newReplica(t, 1, "v1"), newReplica(t, 2, "v1"), newReplica(t, 3, "v1")
	for _, r := range []*replica{a, b, c} {
		r.site("docs", 1)
		r.proxy(1)
	}
	a.await("docs", 1, "have not been asked yet")
	end := a.lead(a.address, b.address, c.address)
	a.await("docs", 1, "Programmed: acknowledged by every serving proxy")

	c.site("other", 1) // so that c has said more than one thing
	c.proxy(1)
	a.site("docs", 2)
	a.proxy(1)
	b.site("docs", 2)
	b.proxy(1)
	a.await("docs", 2, "Pending: acknowledged by 2 of 3", c.address.String(), "does not know of this generation yet")
	c.site("docs", 2)
	c.proxy(1, "docs")
	a.await("docs", 2, "Rejected: refused by 1 of 3", "Envoy says: missing ]: [")
	c.site("docs", 3)
	c.proxy(1)
	b.site("docs", 3)
	b.proxy(1)
	a.site("docs", 3)
	a.proxy(1)
	a.await("docs", 3, "Programmed: ")

	// Another one leads. What it has heard nothing of is not its own to say.
	end()
	a.await("docs", 3, "have not been asked yet")
	b.lead(a.address, b.address, c.address)
	b.await("docs", 3, "Programmed: ")
}

func TestAReplicaThatEndsHoldsUpNobody(t *testing.T) {
	a, b := newReplica(t, 1, "v1"), newReplica(t, 2, "v1")
	a.lead(a.address, b.address)
	a.site("docs", 1)
	b.site("docs", 1)
	a.proxy(1)
	b.proxy(1, "docs")
	a.await("docs", 1, "refused by 1 of 2") // so b is known to have a proxy
	b.proxy(1)
	a.await("docs", 1, "Programmed: ")
	a.site("docs", 2)
	a.proxy(1)
	a.await("docs", 2, "1 of 2")
	b.stop() // It says so, and then nobody listens any more.
	b.server.GracefulStop()
	a.await("docs", 2, "Programmed: ")
}

// Who refuses or resets connections may be something on the way, or a process that has
// just died, with proxies that do not know it yet.
func TestRefusedIsNotAbsent(t *testing.T) {
	for name, refuse := range map[string]func(*replica) netip.AddrPort{
		"refused": func(b *replica) netip.AddrPort {
			b.server.Stop()
			return b.address
		},
		"reset": func(*replica) netip.AddrPort {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listener.Close() })
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					conn.(*net.TCPConn).SetLinger(0)
					conn.Close()
				}
			}()
			return listener.Addr().(*net.TCPAddr).AddrPort()
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newReplica(t, 1, "v1"), newReplica(t, 2, "v1")
			address := refuse(b)
			a.site("docs", 1)
			a.proxy(1)
			a.lead(a.address, address)
			a.await("docs", 1, "Pending: acknowledged by 1 of 1", "replica "+address.String()+" cannot be reached")
			a.endpoints.Put("slice", []netip.AddrPort{a.address}) // The API server says that it is gone.
			a.await("docs", 1, "Programmed: ")
		})
	}
}

// A replica that was heard and dies without a word leaves what is True.
func TestAReplicaThatDiesLeavesTrueAndHoldsUpNew(t *testing.T) {
	a, b := newReplica(t, 1, "v1"), newReplica(t, 2, "v1")
	for _, r := range []*replica{a, b} {
		r.site("docs", 1)
		r.proxy(1)
	}
	a.lead(a.address, b.address)
	a.await("docs", 1, "Programmed: ")
	b.server.Stop() // its loop, and what its proxies hold, go on
	a.site("new", 1)
	a.proxy(1)
	a.await("new", 1, "Pending: acknowledged by 1 of 1", b.address.String(), "cannot be reached")
	a.await("docs", 1, "Programmed: ")
}

// Only the first report of a stream makes void what was said before.
func TestOnlyTheFirstReportIsAReset(t *testing.T) {
	a := newReplica(t, 7, "v1")
	a.site("docs", 1)
	conn, err := grpc.NewClient(a.address.String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := replicasv1.NewReplicasClient(conn).Watch(t.Context(), &replicasv1.WatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var all []*replicasv1.WatchResponse
	for next := int64(2); len(all) < 3; next++ {
		r, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
		a.site("docs", next)
	}
	for i, r := range all {
		if first := i == 0; (r.Id == 7) != first || (r.Build == "v1") != first || decode("a", r).Reset != first {
			t.Errorf("report %d of a stream: %v", i, r)
		}
	}
}

// A process that is stopped: the kernel takes connections, and nobody is there.
func TestAReplicaThatDoesNotAnswerIsNamed(t *testing.T) {
	frozen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer frozen.Close()
	a := newReplica(t, 1, "v1")
	a.site("docs", 1)
	a.proxy(1)
	a.lead(a.address, frozen.Addr().(*net.TCPAddr).AddrPort())
	a.await("docs", 1, "Pending: acknowledged by 1 of 1 serving proxies; replica "+frozen.Addr().String()+" cannot be reached")
	a.endpoints.Put("slice", []netip.AddrPort{a.address})
	a.await("docs", 1, "Programmed: ")
}

// Endpoints of something else say nothing of the replicas of this program.
func TestWhoIsNotAmongTheReplicasKnowsNothingOfThem(t *testing.T) {
	a, b := newReplica(t, 1, "v1"), newReplica(t, 2, "v1")
	a.site("docs", 1)
	a.proxy(1)
	a.lead(b.address)
	a.await("docs", 1, "Pending: ", "this replica is not among the endpoints of its own Service")
	a.endpoints.Put("other", []netip.AddrPort{a.address})
	a.await("docs", 1, "Programmed: ")
}

func TestAReplicaOfAnotherBuildIsNamed(t *testing.T) {
	a, b := newReplica(t, 1, "v1"), newReplica(t, 2, "v2")
	a.site("docs", 1)
	a.proxy(1)
	b.site("docs", 2) // what it makes of it is never equal
	b.proxy(1)
	a.lead(a.address, b.address)
	a.await("docs", 1, "Pending: acknowledged by 1 of 2", "of another version of the control plane")
}

// Where each replica has an address of either family it is counted once.
func TestOneFamilyIsAsked(t *testing.T) {
	c := NewClient(nil, 1, nil, nil, nil)
	c.take(map[string][]netip.AddrPort{
		"four": {netip.MustParseAddrPort("10.0.0.2:9000"), netip.MustParseAddrPort("10.0.0.1:9000")},
		"six":  {netip.MustParseAddrPort("[fd00::1]:9000")},
	})
	if got := fmt.Sprint(c.addresses()); got != "[10.0.0.1:9000 10.0.0.2:9000]" {
		t.Errorf("asks %s", got)
	}
	c.take(map[string][]netip.AddrPort{"four": nil})
	if got := fmt.Sprint(c.addresses()); got != "[[fd00::1]:9000]" {
		t.Errorf("asks %s", got)
	}
}

func TestWireKeepsWhatIsSaid(t *testing.T) {
	sites := map[holdings.SiteVersion]holdings.Holding{
		1: {Settled: true},
		2: {Gone: true},
		3: {Settled: true, Acknowledged: 4, Refused: 1, Words: "no"},
		4: {Acknowledged: 2, Trying: 3},
	}
	report := decode("b", encode(sites, holdings.Proxies{Serving: 5, Why: "taken"})[0])
	if fmt.Sprint(report.Sites) != fmt.Sprint(sites) || report.Proxies != 5 || report.Why != "taken" || report.Reset || report.State != holdings.Heard {
		t.Errorf("%+v became %+v", sites, report)
	}
}

// However many sites there are and whatever Envoy says, gRPC takes each report.
func TestReportsAreBounded(t *testing.T) {
	sites, words := make(map[holdings.SiteVersion]holdings.Holding), xds.Words(strings.Repeat("ä", 5_000)+"!")
	for i := range 3 * maxSites {
		sites[holdings.SiteVersion(i+1)] = holdings.Holding{Refused: 1, Words: words}
	}
	seen := 0
	for _, response := range encode(sites, holdings.Proxies{Serving: 5}) {
		if size := proto.Size(response); size >= 4<<20 {
			t.Errorf("a report takes %d bytes", size)
		}
		if _, err := proto.Marshal(response); err != nil {
			t.Error(err) // half a letter
		}
		seen += len(decode("b", response).Sites)
	}
	if seen != len(sites) {
		t.Errorf("%d of %d sites are reported", seen, len(sites))
	}
	if n := len(encode(nil, holdings.Proxies{})); n != 1 {
		t.Errorf("%d reports of nothing but the number of proxies", n)
	}
}
