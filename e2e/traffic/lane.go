package traffic

import (
	"context"
	"net/http"
	"sync"
)

// A lane is one connection at a time: the current one serves a number of requests,
// then the next is opened.
type lane struct {
	transport *http.Transport
	address   string
	lifetime  int // requests a connection
	opened    func()

	mu      sync.Mutex
	current *conn
}

// A conn is closed once it is not the lane's current one and nobody uses it.
// Guarded by the lane's lock.
type conn struct {
	*http.ClientConn
	served  int // requests given to it
	users   int
	retired bool
}

// acquire returns a connection that can take a request now; fresh if it is its
// first. The caller releases it.
func (l *lane) acquire(ctx context.Context) (c *conn, fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.current; c != nil {
		// Reserve fails when the server has announced the connection's end.
		if c.served < l.lifetime && c.Err() == nil && c.Reserve() == nil {
			c.served++
			c.users++
			return c, false, nil
		}
		l.retire(c)
	}
	// Under the lock: one lane opens one connection at a time.
	cc, err := l.transport.NewClientConn(ctx, "http", l.address)
	if err != nil {
		return nil, true, err
	}
	l.opened()
	if err := cc.Reserve(); err != nil {
		cc.Close()
		return nil, true, err
	}
	l.current = &conn{ClientConn: cc, served: 1, users: 1}
	return l.current, true, nil
}

func (l *lane) release(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.users--
	if c.retired && c.users == 0 {
		c.Close()
	}
}

// retire is called with the lock held.
func (l *lane) retire(c *conn) {
	l.current = nil
	c.retired = true
	if c.users == 0 {
		c.Close()
	}
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current != nil {
		l.retire(l.current)
	}
}
