package xds

import (
	"slices"
	"time"
)

// This file knows how long a session waits for its client.

// referrersUnknown reports whether the client may have something that refers to
// clusters and that it did not ask for yet, or was not answered about. Then nothing
// of the last stage may be sent.
func (s *Session) referrersUnknown(now time.Time) bool {
	if !s.resumed || now.Sub(s.since) >= s.ackTimeout {
		return false
	}
	return slices.ContainsFunc(stages[len(stages)-2], func(step step) bool { return s.types[step.t].acked == nil })
}

// expire opens the gates of pushes that were not answered in time (rule 47).
func (s *Session) expire(now time.Time) {
	for t := range numTypes {
		expired := false
		for p := range s.types[t].open {
			if !p.expired && now.Sub(p.sentAt) >= s.ackTimeout {
				p.expired, expired = true, true
			}
		}
		if expired {
			s.events = append(s.events, Event{Kind: AckTimeout, Type: t})
		}
	}
	if s.awaitsClusters() && now.Sub(s.since) >= clustersTimeout {
		s.noClusters = true
		s.events = append(s.events, Event{Kind: NoClusters, Type: Cluster})
	}
}

// clustersTimeout is how long a client may ask for other types before it asks for
// clusters. After a refusal some Envoys never do on their next stream.
const clustersTimeout = 30 * time.Second

// awaitsClusters reports whether nothing was said yet about clusters never asked for.
func (s *Session) awaitsClusters() bool {
	return !s.noClusters && !s.types[Cluster].active &&
		slices.ContainsFunc(s.types[:], func(st typeState) bool { return st.active })
}

// Deadline returns when Next must be called again if nothing happens before;
// zero: not at all.
func (s *Session) Deadline() (d time.Time) {
	for t := range numTypes {
		for p := range s.types[t].open {
			if !p.expired {
				d = earlier(d, p.sentAt.Add(s.ackTimeout))
			}
		}
		if at := s.types[t].retrial.at; !at.IsZero() {
			d = earlier(d, at)
		}
	}
	if s.resumed && s.referrersUnknown(s.since) {
		d = earlier(d, s.since.Add(s.ackTimeout))
	}
	if s.awaitsClusters() {
		d = earlier(d, s.since.Add(clustersTimeout))
	}
	return d
}

// earlier returns the earlier of two times; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
