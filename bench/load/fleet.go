package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Arrival is a response that came to a proxy which had everything.
type Arrival struct {
	At   int64 // by Now
	Size int
	Text []byte // the response, if the fleet keeps them and it is small
}

// Proxy is one client. Its goroutine owns everything but what is atomic.
type Proxy struct {
	fleet *Fleet
	conn  *connection

	got      [numRoles]int // resources
	asked    [numRoles]bool
	unacked  [][]byte // the answer to the first clusters, which waits for their endpoints
	bytes    atomic.Int64
	complete atomic.Int64 // when it had everything, by Now; 0: it has not

	mu       sync.Mutex
	arrivals []Arrival
}

// Fleet is a number of proxies of one server.
type Fleet struct {
	wants   *Wants
	address string
	keep    bool
	proxies []*Proxy
	group   sync.WaitGroup

	ctx    context.Context // ends with the first error of a proxy as its cause
	cancel context.CancelCauseFunc

	missing  atomic.Int64  // proxies that have not everything
	finished chan struct{} // filled whenever missing falls to 0
}

// NewFleet returns a fleet without proxies. What arrives of routes is noted; if
// keep is set of endpoints too, and the texts of small responses are kept.
func NewFleet(ctx context.Context, address string, wants *Wants, keep bool) *Fleet {
	f := &Fleet{wants: wants, address: address, keep: keep, finished: make(chan struct{}, 1)}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	return f
}

// Connect adds n proxies at once and waits until all have everything.
func (f *Fleet) Connect(ctx context.Context, n int) error {
	f.missing.Add(int64(n))
	for range n {
		p := &Proxy{fleet: f}
		f.proxies = append(f.proxies, p)
		f.group.Go(func() { f.cancel(p.run()) })
	}
	return f.wait(ctx)
}

func (f *Fleet) wait(ctx context.Context) error {
	for f.missing.Load() > 0 {
		select {
		case <-f.finished:
		case <-f.ctx.Done():
			return context.Cause(f.ctx)
		case <-ctx.Done():
			return fmt.Errorf("%d of %d proxies do not have everything: %w", f.missing.Load(), len(f.proxies), context.Cause(ctx))
		}
	}
	return nil
}

// Err returns the first error of a proxy.
func (f *Fleet) Err() error { return context.Cause(f.ctx) }

// Close ends all proxies.
func (f *Fleet) Close() {
	f.cancel(net.ErrClosed)
	f.group.Wait()
}

// Len returns how many proxies there are.
func (f *Fleet) Len() int { return len(f.proxies) }

// Completed returns when the last proxy had everything.
func (f *Fleet) Completed() (last int64) {
	for _, p := range f.proxies {
		last = max(last, p.complete.Load())
	}
	return last
}

// Bytes returns what all proxies received so far.
func (f *Fleet) Bytes() (n int64) {
	for _, p := range f.proxies {
		n += p.bytes.Load()
	}
	return n
}

// Arrivals returns what arrived at each proxy since the last call.
func (f *Fleet) Arrivals() [][]Arrival {
	all := make([][]Arrival, len(f.proxies))
	for i, p := range f.proxies {
		p.mu.Lock()
		all[i], p.arrivals = p.arrivals, nil
		p.mu.Unlock()
	}
	return all
}

// ErrMissing is what AwaitArrivals fails with when it lost its patience.
var ErrMissing = errors.New("fewer responses than changes arrived")

// AwaitArrivals waits until each proxy had n arrivals, which Arrivals has not
// returned yet, or for patience.
func (f *Fleet) AwaitArrivals(ctx context.Context, n int, patience time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrMissing)
	defer cancel()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for _, p := range f.proxies {
		for {
			p.mu.Lock()
			have := len(p.arrivals)
			p.mu.Unlock()
			if have >= n {
				break
			}
			select {
			case <-ticker.C:
			case <-f.ctx.Done():
				return f.Err()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// run is the life of a proxy.
func (p *Proxy) run() error {
	var err error
	if p.conn, err = open(p.fleet.address, p.fleet.wants.path()); err != nil {
		return fmt.Errorf("connect to %s: %w", p.fleet.address, err)
	}
	defer p.conn.net.Close()
	stop := context.AfterFunc(p.fleet.ctx, func() { p.conn.net.Close() })
	defer stop()
	var failed error
	s := scanner{keepSmall: p.fleet.keep, done: func(m *message) { failed = errors.Join(failed, p.take(m)) }}
	if err := p.ask(Clusters); err != nil {
		return err
	}
	return p.conn.read(func(b []byte) error {
		s.write(b)
		return failed
	})
}

// ask sends the first request of a type.
func (p *Proxy) ask(role Role) error {
	if p.asked[role] {
		return nil
	}
	p.asked[role] = true
	return p.conn.send(p.fleet.wants.first[role])
}

// take answers a response as Envoy does: endpoints are asked for once clusters
// are there, whose acknowledgement waits for them; listeners once the clusters are
// warm, and routes once there is a listener.
func (p *Proxy) take(m *message) error {
	now, w := Now(), p.fleet.wants
	role, known := w.role(m.typeURL)
	if !known {
		return fmt.Errorf("a response of type %q, which was not asked for", m.typeURL)
	}
	p.bytes.Add(int64(m.size))
	had := p.has(role)
	p.got[role] += m.resources
	if p.complete.Load() != 0 && (role == Routes || role == Endpoints && p.fleet.keep) {
		p.mu.Lock()
		p.arrivals = append(p.arrivals, Arrival{At: now, Size: m.size, Text: append([]byte(nil), m.small...)})
		p.mu.Unlock()
	}
	if role == Clusters && !p.has(Endpoints) {
		p.unacked = append(p.unacked, w.ack(role, m)...)
	} else if err := p.conn.send(w.ack(role, m)...); err != nil {
		return err
	}
	if had || !p.has(role) {
		return nil
	}
	switch role {
	case Clusters:
		return p.ask(Endpoints)
	case Endpoints:
		if err := p.conn.send(p.unacked...); err != nil {
			return err
		}
		p.unacked = nil
		return p.ask(Listeners)
	case Listeners:
		return p.ask(Routes)
	}
	p.complete.Store(now)
	if p.fleet.missing.Add(-1) == 0 {
		p.fleet.finished <- struct{}{}
	}
	return nil
}

// has tells whether everything of a type has come once.
func (p *Proxy) has(role Role) bool { return p.got[role] >= p.fleet.wants.expects[role] }
