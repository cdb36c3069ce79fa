package replicas

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"go.uber.org/zap"
	"google.golang.org/grpc/credentials"

	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/latest"
)

// A Leader speaks for all replicas: control.Loop does.
type Leader interface {
	Lead(ctx context.Context, replicas []string) error
	Resign(ctx context.Context) error
	Hear(ctx context.Context, report holdings.Report) error
}

// Client asks the other replicas what their proxies hold, as long as this one
// leads.
type Client struct {
	loop      Leader
	id        ID
	endpoints *latest.Map[string, []netip.AddrPort]
	creds     credentials.TransportCredentials
	log       *zap.Logger

	// The rest is Run's.
	slices   map[string][]netip.AddrPort // nil: not known yet
	sessions map[string]func()           // by address: ends one, and returns when it has
}

// NewClient returns a client for the replica that is known by id. Endpoints are
// where replicas listen, this one too, in parts that change by themselves; the
// first that comes is complete. By creds they know each other.
func NewClient(loop Leader, id ID, endpoints *latest.Map[string, []netip.AddrPort], creds credentials.TransportCredentials, log *zap.Logger) *Client {
	return &Client{loop: loop, id: id, endpoints: endpoints, creds: creds, log: log, sessions: make(map[string]func())}
}

// Run works until ctx ends. A term is a time in which this replica leads; the
// channel is closed when it is over.
func (c *Client) Run(ctx context.Context, terms <-chan (<-chan struct{})) {
	defer c.keep(nil)
	var over <-chan struct{}
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-terms:
			if over != nil {
				c.resign(ctx)
			}
			over = next
		case <-over:
			c.resign(ctx)
			over = nil
		case <-c.endpoints.Ready():
			c.take(c.endpoints.Take())
		}
		if over != nil && c.slices != nil {
			c.lead(ctx)
		}
	}
}

func (c *Client) take(changes map[string][]netip.AddrPort) {
	if c.slices == nil {
		c.slices = make(map[string][]netip.AddrPort)
	}
	for slice, addresses := range changes {
		c.slices[slice] = addresses
		if len(addresses) == 0 {
			delete(c.slices, slice)
		}
	}
}

// lead tells the loop which replicas there are, and keeps a session with each.
func (c *Client) lead(ctx context.Context) {
	addresses := c.addresses()
	if c.loop.Lead(ctx, addresses) != nil {
		return
	}
	c.keep(addresses)
	for _, address := range addresses {
		if c.sessions[address] == nil {
			c.sessions[address] = c.start(ctx, address)
		}
	}
}

// start begins a session and returns how to end it.
func (c *Client) start(ctx context.Context, address string) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { (&session{Client: c, address: address}).run(ctx) })
	return func() { cancel(); running.Wait() }
}

func (c *Client) resign(ctx context.Context) {
	c.keep(nil)
	c.loop.Resign(ctx) //nolint:errcheck // it fails when all ends
}

// keep ends all sessions but these.
func (c *Client) keep(addresses []string) {
	for address, end := range c.sessions {
		if !slices.Contains(addresses, address) {
			end()
			delete(c.sessions, address)
		}
	}
}

// addresses are those of all replicas, sorted. Where each has one of both
// families, they are asked by IPv4: to be asked twice is to be counted twice.
func (c *Client) addresses() []string {
	var all []netip.AddrPort
	for _, part := range c.slices {
		all = append(all, part...)
	}
	if slices.ContainsFunc(all, func(a netip.AddrPort) bool { return a.Addr().Is4() }) {
		all = slices.DeleteFunc(all, func(a netip.AddrPort) bool { return !a.Addr().Is4() })
	}
	names := make([]string, 0, len(all))
	for _, a := range all {
		names = append(names, a.String())
	}
	slices.Sort(names)
	return slices.Compact(names)
}
