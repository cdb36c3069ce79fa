package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"my-company.com/staticsite-operator/control"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/proc"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// A plane is our server without a source: objects are put as they are, however
// wrong, and what their owners would read is kept.
type plane struct {
	address string // where it listens
	objects *latest.Map[object.Ref, object.Object]

	mu       sync.Mutex
	statuses map[object.Key]sitestatus.Status
}

func startPlane(t *testing.T, options translate.Options) *plane {
	t.Helper()
	log := zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel))
	p := &plane{
		address:  net.JoinHostPort(netns.Addr(9), xdsPort),
		objects:  latest.New[object.Ref, object.Object](),
		statuses: make(map[object.Key]sitestatus.Status),
	}
	store := xds.NewStore()
	server := xds.NewServer(store, xds.DefaultAckTimeout, log)
	options.HTTPPort = httpPort
	loop := control.NewLoop(options, p.objects, store, server.Observations(), log)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { loop.Run(ctx) })
	running.Go(func() { p.read(ctx, loop.Statuses()) })
	running.Go(func() {
		if err := server.Serve(ctx, server.Open(p.address)); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return p
}

func (p *plane) read(ctx context.Context, statuses *latest.Map[object.Key, sitestatus.Status]) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-statuses.Ready():
		}
		p.mu.Lock()
		for key, status := range statuses.Take() {
			p.statuses[key] = status
		}
		p.mu.Unlock()
	}
}

// put makes objects exist as they are.
func (p *plane) put(objects ...object.Object) {
	changes := make(map[object.Ref]object.Object)
	for _, o := range objects {
		changes[o.Ref()] = o
	}
	p.objects.PutAll(changes)
}

// awaitCondition waits until a site's condition has that status and words.
func (p *plane) awaitCondition(ctx context.Context, site object.Key, typ, want string, says ...string) error {
	return proc.Poll(ctx, func(context.Context) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.statuses[site].Conditions {
			if c.Type == typ && c.Status == want && containsAll(c.Message, says) {
				return nil
			}
		}
		return fmt.Errorf("%s: want %s %s that says %q: %+v", site, typ, want, says, p.statuses[site].Conditions)
	})
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// startProxy starts an Envoy that finds the server at an address.
func (p *plane) startProxy(t *testing.T, ctx context.Context, name, at string, args ...string) *proxy {
	t.Helper()
	text, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: at, NodeID: name, Args: args})
	must(t, err)
	host, err := netns.NewHost(t, 1)
	must(t, err)
	return startWith(t, ctx, name, text, proxyOptions{host: host})
}
