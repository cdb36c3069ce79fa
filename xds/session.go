package xds

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// Session is the state of one ADS stream, as a machine: requests, snapshots and
// the time go in, responses and events come out. It does no I/O and has no
// goroutine, clock or lock; one goroutine owns it.
//
// What a client is to be sent is computed when it can be sent, from where the
// client is to the newest snapshot. Nothing is queued, so nothing can be stale.
type Session struct {
	protocol   protocol
	ackTimeout time.Duration
	resume     int
	maxLate    int // how many responses of a type may be unanswered beside the newest

	snap   *Snapshot // the newest
	types  [numTypes]typeState
	nonces uint64 // responses sent so far; a nonce is never a version (rule 35)

	// resumed: the client claimed something, so it connected before, and has more than
	// it has said yet. Whatever refers to clusters it may ask for in any order: until
	// it has asked for all of it, or is given up on, no cluster is taken from it.
	resumed bool
	since   time.Time // when the client last began to ask for a type; set by the next call of Next, zero until then

	noClusters bool // NoClusters was said
	bare       bool // the client has no listener,
	routed     bool // and what it has of routes is of no use to the next: see noteListener

	// unknown is what was served when the client was first seen to have a form that this
	// server does not know: nothing of it is removed from the client (see needs). Nil: all
	// forms that the client has are known.
	unknown *Snapshot

	events  []Event
	changed bool // State would say something new
}

// typeState is what a session knows of one type.
type typeState struct {
	// What the client asked for. named and missing together are the names it
	// asked for: a bit for those that exist in at, a string for the others.
	active   bool // it asked for this type on this stream
	wildcard bool
	named    slotSet
	missing  map[string]bool
	everName bool // state of the world: it named something once (rules 8, 10)

	// claims are what a client that connects again claimed to hold in another form,
	// where that is too much for the ledger. Until its first answer.
	claims []Claim

	// Where the client is: at is up to where it was decided what to send it, acked is how far it has
	// answered. at is nil until the type is first looked at, acked until the first answer.
	//
	// Invariant: of every upsert up to at one is true: it was sent, its slot is in owed, or
	// its version is excluded.
	// Invariant: of a name without a record in the ledger the client has what acked has.
	at, acked *Snapshot

	// trail are the snapshots that at has left, oldest first, since one whose removals
	// the client was not told yet.
	//
	// Invariant: the trail is in the order of the snapshots, and its last is older than at.
	trail []*Snapshot

	// waiting are names that are gone beyond the trail, and of which the client was not
	// told: with the number of a snapshot that the stages before must reach first.
	//
	// Invariant: a name in waiting does not exist in at.
	waiting map[string]uint64

	// What must be said even though it did not change.
	//
	// Invariant: slots are those of at, also in named; what is in gone does not exist in at.
	owed   slotSet
	gone   map[string]bool // names asked for (or claimed) that do not exist
	answer bool            // a response is due even if there is nothing in it (rule 31)
	asked  bool            // some of this is due because a request asked for it
	unheld []*Resource     // what the client ignored and still asks for (rule 41)
	sum    uint64          // of the last response that held everything

	// unheard are the names in responses that giveUp forgot before they were answered. Those that are gone are said
	// to be so again when nothing is in flight.
	unheard map[string]bool

	// relist: the last response that held everything was refused. Whether the client took
	// up what that left out is not known until it accepts one.
	relist bool

	// behind is where the client was before a response with removals that it refused: it
	// may have what was removed until it answers the response that says so again.
	behind *Snapshot

	// Invariant: the pushes in late were sent before inflight, and answers come in the
	// order of the pushes. So inflight is nil only if late is empty.
	inflight *push   // the newest
	late     []*push // overtaken by a newer one, oldest first; their answers still count

	refusals
	retrial retrial
}

// protocol is what differs between state of the world and delta.
type protocol interface {
	// request applies the subscription in a request. first: of this type, on
	// this stream.
	request(s *Session, t Type, r *Request, first bool)
	// ignored reports whether an answer without an error is no ACK either.
	ignored(p *push, r *Request) bool
	// whole reports whether responses of the type hold everything, not only news.
	whole(t Type) bool
	// removals reports whether responses can say that a resource is gone.
	removals() bool
	// respond makes the response of a push.
	respond(t Type, at *Snapshot, upserts, removes *content) *Response
}

// Event is something that happened on a stream that others must know.
type Event struct {
	Kind     EventKind
	Type     Type
	Resource *Resource // Refused: which version
	Reason   string    // Refused, EarlyRefusal: the client's words

	Has *Resource // Refused: the form that the client has instead, or nil
}

// EventKind is the kind of an Event.
type EventKind uint8

// The events.
const (
	Refused      EventKind = iota // the client refused this very resource
	AckTimeout                    // a push was not answered in time (rule 47)
	EarlyRefusal                  // the first request of a type carried an error (rule 6)
	NoClusters                    // it asks for other types, but not for clusters (rule 65)
)

// NewDeltaSession returns the session of a DeltaAggregatedResources stream.
// Resume is a number that no earlier stream of the client had, here or on another
// replica: attempts to send a resource in other bytes count from there if the
// client claims to hold something (rule 90).
func NewDeltaSession(snap *Snapshot, ackTimeout time.Duration, resume int) *Session {
	return &Session{protocol: delta{}, snap: snap, ackTimeout: ackTimeout, resume: resume, maxLate: maxLate}
}

// NewSotwSession returns the session of a StreamAggregatedResources stream.
func NewSotwSession(snap *Snapshot, ackTimeout time.Duration) *Session {
	return &Session{protocol: sotw{}, snap: snap, ackTimeout: ackTimeout, maxLate: maxLate}
}

// Publish gives the session the newest snapshot.
func (s *Session) Publish(snap *Snapshot) { s.snap = snap }

// Request gives the session a request of its client.
func (s *Session) Request(r *Request) {
	st := &s.types[r.Type]
	first := !st.active
	switch {
	case first && r.Refused:
		s.events = append(s.events, Event{Kind: EarlyRefusal, Type: r.Type, Reason: Words(r.Reason)}) // Rule 6.
	case !first:
		s.answered(st, r) // Rule 5: in a first request the nonce is another stream's.
	}
	if first {
		st.active = true
		s.changed = true
		s.since = time.Time{}
		s.resumed = s.resumed || len(r.Claims) > 0
		s.bring(r.Type)
		s.noteClaims(r)
	}
	s.protocol.request(s, r.Type, r, first)
	st.prune(r.Type)
	s.changed = s.changed || r.Type != Endpoint // What it asks for may be something else now.
}

// bring moves a type that nothing was sent of to the newest snapshot.
func (s *Session) bring(t Type) {
	st := &s.types[t]
	if st.at != nil {
		s.follow(st, s.snap.since(st.at, t))
	}
	st.at, st.trail = s.snap, nil
}

// Next returns the next response to send, or nil when there is none now: until
// a request, a snapshot or Deadline.
func (s *Session) Next(now time.Time) (Type, *Response) {
	if s.since.IsZero() {
		s.since = now
	}
	s.expire(now)
	s.tryAgain(now)
	limit := s.snap
	for i, stage := range stages {
		if i == len(stages)-1 && s.referrersUnknown(now) {
			break
		}
		reached := limit
		for _, step := range stage {
			st := &s.types[step.t]
			if !st.active {
				continue
			}
			if p, r := s.push(step, limit); p != nil {
				return step.t, s.send(step.t, p, r, now)
			}
			reached = older(reached, st.settled())
		}
		limit = reached
	}
	for t := range numTypes {
		if p, r := s.trial(t); p != nil {
			return t, s.send(t, p, r, now)
		}
	}
	return 0, nil
}

// Served reports whether the client has acknowledged routes: what it asks for last, so
// that everything was sent to it once.
func (s *Session) Served() bool {
	return s.types[ScopedRoute].acked != nil || s.types[Route].acked != nil
}

// Unserved returns how many names the client asks for that do not exist.
func (s *Session) Unserved() (n int) {
	for t := range numTypes {
		n += len(s.types[t].missing)
	}
	return n
}

// Events returns what happened since the last call.
func (s *Session) Events() []Event {
	e := s.events
	s.events = nil
	return e
}

// respondUnknown answers a delta request for a type that is not served, so that
// the client does not wait: the names do not exist (rule 4).
func (s *Session) respondUnknown(url string, names []string) *Response {
	s.nonces++
	c := &content{removes: slices.Sorted(maps.Keys(setOf(names)))}
	return &Response{TypeURL: url, Nonce: strconv.FormatUint(s.nonces, 36), Removes: c.removes,
		bodies: bodies(c.deltaBody())}
}

func older(a, b *Snapshot) *Snapshot {
	if a.seq < b.seq {
		return a
	}
	return b
}

func newer(a, b *Snapshot) *Snapshot {
	if a.seq > b.seq {
		return a
	}
	return b
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}
