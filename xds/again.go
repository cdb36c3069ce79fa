package xds

import (
	"slices"
	"time"
)

// A listener may be refused for a reason that is not in it: its port is taken, say.
// So what a client refused of a type with types.again is sent to it once more after
// a pause, and not only when it changes. Of a listener that it cannot bind Envoy
// (1.40) keeps nothing, so equal bytes are tried like new ones.
//
// But Envoy asks for the routes of such a listener before it refuses it, acknowledges
// them, and drops them together with it. For the next one it asks for nothing: on
// the wire its subscription never ended. So whatever a listener leads to is sent once
// more to a client that had none and then accepts one. Without that, its listener
// would wait for routes for ever.

// How long to wait before what was refused is sent again, at first and at most.
const (
	againLeast = time.Second
	againMost  = 30 * time.Second
)

// retrial is when what a client refuses of a type is sent again.
type retrial struct {
	at    time.Time     // zero: nothing is refused, or it is being tried
	pause time.Duration // the last; zero once nothing is refused
}

// tryAgain makes refused resources trials again whose time has come.
func (s *Session) tryAgain(now time.Time) {
	for t := range numTypes {
		if !types[t].again {
			continue
		}
		st := &s.types[t]
		var refused []*exclusion
		trying := false
		for _, rec := range st.ledger {
			switch e := rec.excluded; {
			case e == nil:
			case e.refused:
				refused = append(refused, e)
			default:
				trying = true
			}
		}
		switch {
		case len(refused) == 0 && !trying:
			st.retrial = retrial{}
		case len(refused) == 0:
		case st.retrial.at.IsZero():
			st.retrial.pause = min(max(2*st.retrial.pause, againLeast), againMost)
			st.retrial.at = now.Add(st.retrial.pause)
		case !now.Before(st.retrial.at):
			st.retrial.at = time.Time{}
			for _, e := range refused {
				e.refused = false // Its reason stays: it is known why the client has none.
				delete(st.refused, versionOf(e.resource))
				st.trials = append(st.trials, []*Resource{e.resource})
			}
		}
	}
}

// leadsTo are the types that a listener asks for.
var leadsTo = [...]Type{ScopedRoute, Route}

// noteClaims keeps from the first request of a type whether the client comes with
// routes and without a listener: it refused that on a stream before.
func (s *Session) noteClaims(r *Request) {
	switch {
	case r.Type == Listener:
		s.bare = len(r.Claims) == 0
	case slices.Contains(leadsTo[:], r.Type):
		s.routed = s.routed || len(r.Claims) > 0
	}
}

// noteListener keeps whether routes must be sent anew, after an answer about
// listeners.
func (s *Session) noteListener(refused bool) {
	switch has := s.hasListener(); {
	case refused && !has:
		s.bare, s.routed = true, true
	case has && s.bare:
		s.bare = false
		if !s.routed {
			return
		}
		for _, t := range leadsTo {
			st := &s.types[t]
			if !st.active {
				continue
			}
			for _, rec := range st.ledger {
				rec.has, rec.keeps = nil, false
			}
			for p := range st.open {
				if p.all != nil {
					p.fresh = p.all.upserts // A refusal may be about any of it now.
				}
			}
			st.acked = nil // It serves again when it has answered.
			for r := range st.at.tables[t].all {
				if st.selects(r) {
					st.hasNone(t, r.Name) // What it acknowledged before, it has dropped.
					st.owed.add(r.slot)
				}
			}
		}
	}
}

// hasListener reports whether the client has accepted any listener.
func (s *Session) hasListener() bool {
	st := &s.types[Listener]
	for r := range st.at.tables[Listener].all {
		if st.selects(r) && st.accepted(Listener, r.Name) != nil {
			return true
		}
	}
	return false
}
