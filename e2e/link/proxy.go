package link

import (
	"fmt"
	"io"
	"net"
	"sync"
)

// Proxy forwards TCP connections to one target until it is told not to.
type Proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	open   chan struct{} // closed while bytes may pass
	conns  map[net.Conn]struct{}
	closed bool
	broken bool // new connections are reset

	running sync.WaitGroup
}

// Listen returns a proxy on address (port 0: any) that forwards to target.
func Listen(address, target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("proxy to %s: %w", target, err)
	}
	p := &Proxy{
		listener: listener,
		target:   target,
		open:     make(chan struct{}),
		conns:    map[net.Conn]struct{}{},
	}
	close(p.open)
	p.running.Go(p.accept)
	return p, nil
}

// Addr returns the address to connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Freeze stops forwarding, in both directions and for new connections. Nothing is
// lost: what was sent meanwhile arrives after Thaw.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default: // frozen already
	}
}

// Thaw forwards again.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thaw()
}

// Break resets every connection, and new ones as soon as they are made, until
// Mend: something on the way that answers for a target it does not reach.
func (p *Proxy) Break() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = true
	p.cut()
}

// Mend forwards new connections again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = false
}

func (p *Proxy) thaw() {
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// Cut resets every connection. New ones are forwarded as before.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}

func (p *Proxy) cut() {
	for conn := range p.conns {
		reset(conn)
	}
}

// Close refuses new connections, resets the others, and returns when nothing of
// the proxy runs any more.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.cut()
	p.thaw()
	p.mu.Unlock()
	err := p.listener.Close()
	p.running.Wait()
	return err
}

// reset closes a connection such that the other end sees a reset, not an end.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed: nothing else ends a listener of ours
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	if !p.hold(client) {
		return
	}
	defer p.release(client)
	<-p.gate() // a hung network answers no connection attempt either
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	if !p.hold(server) {
		return
	}
	defer p.release(server)

	var both sync.WaitGroup
	both.Go(func() { p.forward(server, client) })
	both.Go(func() { p.forward(client, server) })
	both.Wait()
}

// forward copies from one end to the other, holding back what it has while the
// link is frozen.
func (p *Proxy) forward(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		<-p.gate()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				reset(from)
				return
			}
		}
		if err == io.EOF {
			to.(*net.TCPConn).CloseWrite() // the other direction may go on
			return
		}
		if err != nil {
			reset(to)
			return
		}
	}
}

// gate returns a channel that is closed while bytes may pass.
func (p *Proxy) gate() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// hold registers a connection for Cut; false means that the proxy is closed or
// broken.
func (p *Proxy) hold(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.broken {
		reset(conn)
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Proxy) release(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
	conn.Close()
}
