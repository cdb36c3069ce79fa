package xds

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// stream is one connected client. gRPC's own goroutine runs it: it alone owns
// the session and calls Send. A second one reads, and never outlives it.
type stream struct {
	server  *Server
	grpc    grpc.ServerStream
	session *Session
	snap    *Snapshot
	log     *zap.Logger

	id    uint64
	node  string // from the first message; later ones are ignored (rules 1, 80)
	named bool   // the first message was read
	delta bool
	peer  string // the client's address

	// inbox is what the stream's own goroutine runs between two steps: a request
	// that was read, the alarm, a question of somebody else.
	inbox chan func() error
	alarm *time.Timer // nil: never set
	rings time.Time   // when the alarm will; zero: it is not set
	end   context.CancelCauseFunc
	leave func() // its place among the new ones; nil: it has left
}

var errDraining = status.Error(codes.Unavailable, "this replica is shutting down")

func (s *Server) serve(g grpc.ServerStream, delta bool, start func(*Snapshot, time.Duration) *Session) error {
	ctx := g.Context()
	select {
	case <-s.store.Published(): // Rule 34.
	case <-ctx.Done():
		return nil
	case <-s.drain:
		return errDraining
	}
	leave, err := s.admission.enter(ctx, s.drain)
	if err != nil {
		return err
	}
	defer leave()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	protocol := "sotw"
	if delta {
		protocol = "delta"
	}
	s.metrics.streams.WithLabelValues(protocol).Inc()
	defer s.metrics.streams.WithLabelValues(protocol).Dec()

	snap := s.store.Latest()
	st := &stream{
		server: s, grpc: g, session: start(snap, s.ackTimeout), snap: snap,
		id: s.streams.Add(1), delta: delta, peer: peerOf(ctx), inbox: make(chan func() error), end: end, leave: leave,
		log: s.log.With(zap.String("protocol", protocol), zap.String("peer", peerOf(ctx))),
	}
	s.clients.Store(st.id, st)
	defer st.close()
	select {
	case <-s.drain: // Drain may not have seen this stream.
		return errDraining
	default:
	}
	go st.read(ctx)
	return st.run(ctx)
}

// read reads requests until the client or the stream ends.
func (st *stream) read(ctx context.Context) {
	defer st.server.contain("read", func(err error) { st.end(err) })
	for {
		m := &message{delta: st.delta}
		if err := st.grpc.RecvMsg(m); err != nil {
			if !errors.Is(err, io.EOF) && status.Code(err) != codes.Canceled { // Rule 73.
				st.log.Debug("stream broken", zap.Error(err))
			}
			if status.Code(err) != codes.ResourceExhausted { // Else it is for the client: see maxRequest.
				err = nil
			}
			st.end(err)
			return
		}
		select {
		case st.inbox <- func() error { return st.receive(m) }:
		case <-ctx.Done(): // Rule 67.
			return
		}
	}
}

// run sends whatever is due, and then waits for something to happen.
func (st *stream) run(ctx context.Context) error {
	for {
		if err := st.flush(); err != nil {
			return err
		}
		st.wakeAt(ctx, st.session.Deadline())
		select {
		case do := <-st.inbox:
			if err := do(); err != nil {
				return err
			}
		case <-st.snap.Superseded():
			st.snap = st.server.store.Latest()
			st.session.Publish(st.snap)
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
				return cause
			}
			return nil
		}
	}
}

// wakeAt sets the alarm, unless it rings before that anyway: to be woken early does
// no harm, and most answers come in time, so it is set once in seconds and not for
// each response.
func (st *stream) wakeAt(ctx context.Context, at time.Time) {
	if at.IsZero() || !st.rings.IsZero() && !at.Before(st.rings) {
		return
	}
	if st.alarm != nil {
		st.alarm.Stop()
	}
	st.rings = at
	st.alarm = time.AfterFunc(time.Until(at), func() {
		select {
		case st.inbox <- func() error { st.rings = time.Time{}; return nil }:
		case <-ctx.Done():
		}
	})
}

// receive hands a request to the session.
func (st *stream) receive(m *message) error {
	if m.tooMuch != nil {
		return m.tooMuch
	}
	if !st.named {
		st.named = true
		st.node = strings.Clone(m.node) // Rule 2: nothing here depends on it, so it may be empty.
		st.log = st.log.With(zap.String("node", st.node))
		st.log.Info("proxy connected")
	}
	if m.url == "" {
		return status.Error(codes.InvalidArgument, "type_url is empty: an aggregated stream needs it in each request") // Rule 3.
	}
	t, known := TypeByURL(m.url)
	if !known {
		return st.unknown(m)
	}
	m.Type = t
	st.session.Request(&m.Request)
	if n := st.session.Unserved(); n > maxNames {
		return exceeds("a stream asks for %d names that do not exist: at most %d are remembered", n, maxNames)
	}
	return nil
}

// unknown answers a request of a type that is not served (rule 4).
func (st *stream) unknown(m *message) error {
	if st.server.logged.first("type " + m.url) {
		st.log.Warn("proxy asks for a type that is not served", zap.String("type", m.url))
	}
	if !st.delta || len(m.Subscribe) == 0 {
		return nil
	}
	return st.send(st.session.respondUnknown(m.url, m.Subscribe))
}

// send signs a response and sends it.
func (st *stream) send(r *Response) error {
	if identifier := st.server.identifier; identifier != "" {
		r.signature = signature(identifier, st.delta)
	}
	return st.grpc.SendMsg(r)
}

// flush sends every response that is due. A client that does not read blocks
// here, its own stream and nobody else; keepalive ends it (rules 69, 70).
func (st *stream) flush() error {
	for {
		t, r := st.session.Next(time.Now())
		st.report()
		if r == nil {
			return nil
		}
		st.server.metrics.sent(t, r)
		if err := st.send(r); err != nil {
			return err
		}
	}
}

// report tells others what happened, without waiting for anyone (rule 74).
func (st *stream) report() {
	for _, e := range st.session.Events() {
		st.server.metrics.event(e)
		switch e.Kind {
		case Refused:
			st.server.store.Suspect(e.Resource, e.Has)
			key := "refused " + e.Type.String() + " " + e.Resource.Name + " " + e.Resource.Version
			if st.server.logged.first(key) { // Rule 85.
				st.log.Warn("proxy refused a resource", zap.Stringer("type", e.Type),
					zap.String("name", e.Resource.Name), zap.String("version", e.Resource.Version), zap.String("error", e.Reason))
			}
		case AckTimeout:
			st.log.Info("proxy does not answer", zap.Stringer("type", e.Type), zap.Duration("for", st.server.ackTimeout))
		case NoClusters:
			st.log.Warn("proxy does not ask for clusters: after it refused some, it may need a restart", zap.Duration("for", clustersTimeout))
		case EarlyRefusal:
			st.log.Info("proxy connected with a refusal of another stream", zap.Stringer("type", e.Type), zap.String("error", e.Reason))
		}
	}
	if st.leave != nil && st.session.Served() {
		st.leave()
		st.leave = nil
	}
	if state, changed := st.session.State(); changed {
		state.ID, state.Node = st.id, st.node
		st.server.observations.Put(st.id, state)
	}
}

// inspect runs a function where it may look at all of the stream, and waits for
// it, unless the stream is busy for longer than inspectTimeout.
func (st *stream) inspect(ctx context.Context, look func()) {
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	done := make(chan struct{})
	select {
	case st.inbox <- func() error { look(); close(done); return nil }:
		<-done
	case <-ctx.Done():
	case <-st.grpc.Context().Done():
	}
}

func (st *stream) close() {
	st.server.clients.Delete(st.id)
	if st.alarm != nil {
		st.alarm.Stop()
	}
	if st.named {
		st.log.Info("proxy disconnected")
	}
	st.server.observations.Put(st.id, StreamState{ID: st.id, Node: st.node, Closed: true})
}

func peerOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}
