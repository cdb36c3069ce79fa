package xds

import (
	"slices"
	"strings"
)

// This file keeps what a client has, name by name, where the positions of
// typeState do not tell it. Of every other name a client has what acked has.

// ledger has a record of each name that something irregular happened to: it was in
// a refused response, is a suspect, was asked for in mid-stream, or goes later than
// it should. Answers come in the order of the responses, so each record is true as
// of the last request; mend ends those that say nothing new.
type ledger map[string]*record

// record is what a client has of one name.
//
// Invariant: has and mayHave are not both set.
type record struct {
	has      *Resource  // what it accepted last; nil: nothing, or it is not known which form
	mayHave  *Resource  // what it accepted last, if the client may have it all the same: it refused the removal, or its ACK is not believed
	keeps    bool       // what is served is a placeholder, and replaces nothing (rule 91)
	excluded *exclusion // nil: what is served of the name is sent to it like anything else

	// doubted is the version that was in a refused response, if none was accepted
	// since; what is sent of the name next is sent in other bytes (rule 90).
	//
	// Invariant: an ACK of doubted in a response up to number upTo does not count. These
	// responses were sent before the refusal was known, and a client may acknowledge bytes
	// that it has seen without applying them.
	doubted string
	upTo    uint64
}

// record returns the record of a name. It makes one if there is none.
func (st *typeState) record(t Type, name string) *record {
	rec := st.ledger[name]
	if rec == nil {
		rec = &record{has: st.accepted(t, name)}
		if st.ledger == nil {
			st.ledger = make(ledger)
		}
		st.ledger[strings.Clone(name)] = rec
	}
	return rec
}

// accepted returns what the client has of a name, nil if nothing.
func (st *typeState) accepted(t Type, name string) *Resource {
	if rec := st.ledger[name]; rec != nil {
		return rec.has
	}
	return st.byPosition(t, name)
}

// byPosition returns what the client has of a name that there is no record of: what
// acked has of it; if that has none, what the newest older snapshot of the trail has: the
// removal was not sent yet.
func (st *typeState) byPosition(t Type, name string) *Resource {
	if st.acked == nil {
		return nil
	}
	r := st.acked.lookup(t, name)
	for i := len(st.trail) - 1; r == nil && i >= 0; i-- {
		if st.trail[i].seq < st.acked.seq {
			r = st.trail[i].lookup(t, name) // It was not told yet that this is gone.
		}
	}
	return r
}

// hasNone notes that the client has nothing of a name.
func (st *typeState) hasNone(t Type, name string) {
	rec := st.record(t, name)
	rec.has, rec.keeps = nil, false
}

// took takes into account that the client acknowledged a response which had this
// of a name.
func (st *typeState) took(rec *record, r *Resource, p *push) {
	switch {
	case st.refusedBefore(r):
		return
	case rec.doubted == r.Version && p.number <= rec.upTo:
		if rec.has != nil && rec.has.Version != r.Version {
			rec.mayHave, rec.has = rec.has, nil // It has this one or that one.
		}
		return
	}
	rec.has, rec.mayHave, rec.doubted = r, nil, ""
	switch e := rec.excluded; {
	case e == nil:
	case e.resource.Version == r.Version:
		rec.excluded = nil
	case e.standsIn(r):
		st.standInAnswered(e)
	}
}

// accept takes an ACK.
func (st *typeState) accept(p *push) {
	st.acked, st.claims = p.to, nil
	if p.all != nil {
		st.relist, st.behind = false, nil
	}
	if len(st.ledger) == 0 {
		return
	}
	if p.all == nil {
		for _, r := range p.fresh {
			if rec := st.ledger[r.Name]; rec != nil {
				st.took(rec, r, p)
			}
		}
		for _, name := range p.removes {
			if rec := st.ledger[name]; rec != nil {
				rec.has, rec.mayHave, rec.doubted = nil, nil, ""
			}
		}
		return
	}
	for name, r := range st.leftIn(p) {
		st.took(st.ledger[name], r, p)
	}
	for _, rec := range st.ledger {
		rec.mayHave = nil
	}
}

// leftIn notes that the client lost what a response that holds everything left out,
// whether it accepts the rest or not, and returns what is in it of the ledger.
func (st *typeState) leftIn(p *push) map[string]*Resource {
	found := st.ledger.in(p.all)
	for name, rec := range st.ledger {
		if found[name] == nil {
			rec.has = nil
		}
	}
	return found
}

// in returns what a content has of the names in the ledger.
func (l ledger) in(c *content) map[string]*Resource {
	found := make(map[string]*Resource)
	for _, r := range c.upserts {
		if l[r.Name] != nil {
			found[r.Name] = r
		}
	}
	return found
}

// mend ends the records that say what the positions say, and makes due what the
// client lacks, or has and should not, now that nothing is in flight.
func (s *Session) mend(t Type) {
	st := &s.types[t]
	st.answer = st.answer || len(st.unheard) > 0 && s.protocol.whole(t)
	for name := range st.unheard {
		st.sayGone(t, name)
	}
	st.unheard = nil
	for name, rec := range st.ledger {
		now := st.at.lookup(t, name)
		switch {
		case !st.wants(t, name):
			delete(st.ledger, name)
		case rec.excluded != nil || rec.keeps || st.unfinished[name]:
		case now != nil && !sameVersion(rec.has, now):
			st.owed.add(now.slot)
		case now == nil && st.removalWaits(t, name):
		case now == nil && rec.has != nil && s.protocol.whole(t):
			st.answer = true
		case rec.doubted != "" || rec.mayHave != nil:
		case sameVersion(rec.has, st.byPosition(t, name)):
			delete(st.ledger, name)
		}
	}
}

// sameVersion reports whether two are the same version of a name, or both are none.
func sameVersion(a, b *Resource) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Version == b.Version
}

// removalWaits reports whether it was not said yet that a name is gone.
func (st *typeState) removalWaits(t Type, name string) bool {
	_, waits := st.waiting[name]
	return waits || inAny(st.trail, t, name)
}

// inAny reports whether a name was in one of some snapshots.
func inAny(snaps []*Snapshot, t Type, name string) bool {
	return slices.ContainsFunc(snaps, func(s *Snapshot) bool { return s.lookup(t, name) != nil })
}

// lacks reports whether the client does not have what acked has of a name.
func (st *typeState) lacks(t Type, name string, rec *record) bool {
	if st.acked == nil || rec.keeps {
		return false
	}
	r := st.acked.lookup(t, name)
	return r != nil && !sameVersion(rec.has, r)
}

// prune ends the records of names that the client does not ask for any more: it
// drops what it had.
func (st *typeState) prune(t Type) {
	for name := range st.ledger {
		if !st.wants(t, name) {
			delete(st.ledger, name)
		}
	}
	if len(st.ledger) == 0 {
		st.ledger = nil // A map keeps the room for what was in it.
	}
	if len(st.trials) == 0 {
		st.trials = nil
	}
}
