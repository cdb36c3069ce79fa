package xds

import (
	"slices"
	"strconv"
	"time"
)

// This file moves a client along: what one response has, and what it leaves to say.

// A push is one response that the client has not answered yet.
type push struct {
	number  uint64 // of the responses of this stream
	nonce   string
	version string
	fresh   []*Resource // what the client had not acknowledged before: whom a refusal may be about
	shared  *content    // fresh, as others are sent it too; nil: it is this client's alone
	removes []string
	all     *content  // what is in a response that holds everything, else nil
	from    *Snapshot // where the client was before
	to      *Snapshot // where it is once it has answered
	trial   bool
	sentAt  time.Time
	expired bool // not answered in time: nobody waits for it any more (rule 47)

	restored []*Resource // older forms that are in it once more
}

// open yields the pushes that were not answered, oldest first.
func (st *typeState) open(yield func(*push) bool) {
	for _, p := range st.late {
		if !yield(p) {
			return
		}
	}
	if st.inflight != nil {
		yield(st.inflight)
	}
}

// busy reports whether changes of the type must wait: a push is in flight. One that
// was not answered in time may be overtaken, so who answers nothing is sent what
// is news, and at most one response in ackTimeout.
func (st *typeState) busy() bool { return st.inflight != nil && !st.inflight.expired }

// settled is how far the client has answered.
func (st *typeState) settled() *Snapshot {
	if st.inflight != nil && st.inflight.expired {
		return st.at
	}
	at := st.at
	for p := range st.open {
		if !p.expired {
			at = p.from
			break
		}
	}
	if st.behind != nil {
		at = older(at, st.behind)
	}
	return at
}

// replies reports whether a request may be answered though a push is in flight.
func (s *Session) replies(st *typeState) bool { return st.asked && len(st.late) < s.maxLate }

// push moves the client along one step as far as it may go, and returns the push
// for it, nil if there is nothing to say.
func (s *Session) push(step step, limit *Snapshot) (*push, *Response) {
	t, st := step.t, &s.types[step.t]
	reply := false // only what was asked for
	if st.busy() {
		if reply = s.replies(st); !reply {
			return nil, nil
		}
	}
	from, to := st.at, st.at
	if step.what&upsert != 0 && !reply {
		to = newer(st.at, limit)
	}
	upserts, none := s.upserts(t, to)
	var vanished []string
	switch {
	case reply:
	case !removesLater(t):
		vanished = s.vanished(t, to)
	case step.what&remove != 0:
		vanished = s.vanished(t, older(limit, to))
	}
	var restored []*Resource
	leaving, answer := vanished, st.answer
	if s.protocol.whole(t) {
		switch done := len(s.nextPart(t)) == 0; {
		case len(st.unfinished) > 0 && (done || st.inflight != nil), st.relist && done && st.inflight == nil:
			answer = true // What was refused is not in it; nor is it in the trial that is next.
		}
	} else {
		leaving = slices.Concat(vanished, none)
		if len(st.unfinished) > 0 {
			var away []string
			restored, away = s.restore(t)
			leaving = slices.Concat(leaving, away)
		}
	}
	removes := s.removes(t, leaving)
	st.answer, st.asked = false, false
	news := len(upserts.upserts)+len(restored)+len(removes.removes) > 0

	switch {
	case s.protocol.whole(t):
		if !news && !answer && len(vanished) == 0 {
			break
		}
		all, kept := s.everything(t, nil)
		if !news && !answer && all.sum() == st.sum {
			break // What vanished was not in the last response either (rule 84).
		}
		st.sum, st.relist = all.sum(), false
		from = st.catchUp(from)
		p := &push{from: from, to: to, fresh: st.unanswered(upserts.upserts, all), removes: vanished, restored: kept, all: all}
		if st.inflight == nil {
			p.shared = upserts
		}
		return p, s.protocol.respond(t, to, all, nothing)
	case news || answer:
		from = st.catchUp(from)
		p := &push{from: from, to: to, fresh: upserts.upserts, removes: removes.removes, shared: upserts, restored: restored}
		return p, s.protocol.respond(t, to, upserts.and(restored), removes)
	}
	if !st.relist {
		st.behind = nil // There was nothing left to say again.
	}
	if st.inflight == nil && len(st.unheld) == 0 && st.acked != to {
		st.acked, s.changed = to, true // It holds all up to here.
	}
	return nil, nil
}

// catchUp returns where the client is before a response that says again what it may
// have refused to hear.
func (st *typeState) catchUp(from *Snapshot) *Snapshot {
	if st.behind != nil {
		from, st.behind = older(from, st.behind), nil
	}
	return from
}

// unanswered adds to what is new in a response that holds everything what it
// shares with the one that it overtakes, and what that one left out.
func (st *typeState) unanswered(fresh []*Resource, all *content) []*Resource {
	if st.inflight == nil {
		return fresh
	}
	sent := make(map[versioned]bool, len(all.upserts))
	for _, r := range all.upserts {
		sent[versionOf(r)] = true
	}
	for _, r := range fresh {
		delete(sent, versionOf(r))
	}
	fresh = slices.Clone(fresh)
	for _, r := range st.inflight.fresh {
		if sent[versionOf(r)] {
			delete(sent, versionOf(r))
			fresh = append(fresh, r)
		}
	}
	before := st.ledger.in(st.inflight.all)
	for name, r := range st.ledger.in(all) {
		if sent[versionOf(r)] && !sameVersion(before[name], r) && st.exclusion(name) == nil {
			fresh = append(fresh, r)
		}
	}
	return fresh
}

// send numbers a push and remembers it.
func (s *Session) send(t Type, p *push, r *Response, now time.Time) *Response {
	st := &s.types[t]
	s.nonces++
	r.Nonce = strconv.FormatUint(s.nonces, 36)
	p.number, p.nonce, p.version, p.sentAt = s.nonces, r.Nonce, r.Version, now
	if st.inflight != nil {
		st.late = append(st.late, st.inflight)
		s.giveUp(t)
	}
	st.inflight = p
	if t == Cluster {
		s.oweEndpoints(p)
	}
	s.changed = s.changed || len(st.ledger) > 0 // Else what it holds changes with its answer.
	return r
}

// oweEndpoints makes the assignments of clusters that are being sent due again:
// a client that takes up a cluster waits for its endpoints, and forgets those it
// had (rules 50 to 53).
func (s *Session) oweEndpoints(p *push) {
	st := &s.types[Endpoint]
	if st.at == nil {
		s.bring(Endpoint)
	}
	if p.shared != nil {
		st.owed.addAll(p.shared.assignments(st.at))
	} else {
		st.owed.addAll(st.at.assignments(p.fresh))
	}
	if len(p.restored) > 0 {
		st.owed.addAll(st.at.assignments(p.restored))
	}
}
