package credentials

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc/credentials"
)

// A connection is one that a peer with a role has made, or was made to one.
type connection struct {
	net.Conn // with TLS
	raw      net.Conn
	store    *Store

	certificates []*x509.Certificate
	usage        x509.ExtKeyUsage
	identity     Identity // as of admit; afterwards only review reads Until, and changes it
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.store.forget(c)
	return c.Conn.Close()
}

// fields say whose connection it is, in the log.
func (c *connection) fields() []zap.Field {
	return []zap.Field{zap.Stringer("role", c.identity.Role), zap.String("identity", c.identity.Name), zap.Stringer("peer", c.RemoteAddr())}
}

// admit keeps a connection in mind as long as it is open. It judges the peer anew,
// under the lock, since the CAs may have changed during the handshake and review may
// have been then.
func (s *Store) admit(c *connection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if c.identity, err = s.identify(c.certificates, c.usage); err != nil {
		return err
	}
	s.connections[c] = struct{}{}
	s.metrics.connections.WithLabelValues(c.identity.Role.String()).Inc()
	return nil
}

func (s *Store) forget(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.connections[c]; ok {
		delete(s.connections, c)
		s.metrics.connections.WithLabelValues(c.identity.Role.String()).Dec()
	}
}

// identify returns who shows these certificates now.
func (s *Store) identify(certificates []*x509.Certificate, usage x509.ExtKeyUsage) (Identity, error) {
	return s.current.Load().rules.Of(certificates, usage, s.clock())
}

// review closes the connections of peers that are not who they were: their
// certificate has ended, or its CA has left the bundle. All are asked if the
// credentials have changed. One that is admitted meanwhile was judged by the new ones.
func (s *Store) review(changed bool) {
	now := s.clock()
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.connections))
	s.mu.Unlock()
	for _, c := range open {
		if !changed && !now.After(c.identity.Until) {
			continue
		}
		identity, err := s.identify(c.certificates, c.usage)
		if err == nil && (identity.Role != c.identity.Role || identity.Name != c.identity.Name) {
			err = fmt.Errorf("it is %s %s now", identity.Role, identity.Name)
		}
		if err == nil {
			c.identity.Until = identity.Until
			continue
		}
		s.metrics.ended.Inc()
		s.log.Info("closing the connection of a peer whose certificate is not good any more", append(c.fields(), zap.Error(err))...)
		s.forget(c)   // It is told once.
		c.raw.Close() // Not TLS's own Close, which may wait for a peer that does not read.
	}
}

// transport makes gRPC's connections ones that the store keeps in mind.
type transport struct {
	credentials.TransportCredentials
	store *Store
}

func (t transport) Clone() credentials.TransportCredentials {
	return transport{t.TransportCredentials.Clone(), t.store}
}

func (t transport) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := t.TransportCredentials.ServerHandshake(raw)
	conn, info, err = t.made(raw, conn, info, err, x509.ExtKeyUsageClientAuth)
	if err != nil && !errors.Is(err, io.EOF) { // A health check connects and says nothing.
		t.store.refuse(raw.RemoteAddr(), err)
	}
	return conn, info, err
}

func (t transport) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := t.TransportCredentials.ClientHandshake(ctx, authority, raw)
	return t.made(raw, conn, info, err, x509.ExtKeyUsageServerAuth)
}

func (t transport) made(raw, conn net.Conn, info credentials.AuthInfo, err error, usage x509.ExtKeyUsage) (net.Conn, credentials.AuthInfo, error) {
	if err != nil {
		return nil, nil, err
	}
	shown, ok := info.(credentials.TLSInfo)
	if !ok {
		conn.Close()
		return nil, nil, errors.New("the connection is not TLS")
	}
	c := &connection{Conn: conn, raw: raw, store: t.store, certificates: shown.State.PeerCertificates, usage: usage}
	if err := t.store.admit(c); err != nil {
		conn.Close()
		return nil, nil, err
	}
	t.store.log.Info("connected with TLS", c.fields()...)
	return c, info, nil
}

// refusals is what keeps strangers from filling the log: one line a second.
type refusals struct {
	said   time.Time
	unsaid int
}

// refuse counts a connection that was refused and tells of it.
func (s *Store) refuse(peer net.Addr, err error) {
	s.metrics.strangers.Inc()
	now := s.clock()
	s.mu.Lock()
	r := &s.refusals
	if now.Sub(r.said) < time.Second {
		r.unsaid++
		s.mu.Unlock()
		return
	}
	unsaid := r.unsaid
	r.said, r.unsaid = now, 0
	s.mu.Unlock()
	s.log.Warn("refused a connection", zap.Stringer("peer", peer), zap.Int("unlogged", unsaid), zap.Error(err))
}
