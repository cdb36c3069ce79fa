package xds

import (
	"slices"
	"strconv"
	"strings"
)

// sotw is the state-of-the-world protocol: StreamAggregatedResources.
type sotw struct{}

// request takes the names of a request: always all that the client wants.
func (sotw) request(s *Session, t Type, r *Request, first bool) {
	st := &s.types[t]
	if r.Nonce == "" && !first { // Rule 21: the type starts again.
		first = true
		for p := range st.open {
			if p.all != nil {
				st.answer, st.asked = true, true // Who takes up that must hear what is gone since.
			}
		}
	}
	st.everName = st.everName || len(r.Names) > 0
	legacy := !st.everName && types[t].wildcard // Rules 8 to 10.

	had, hadMissing, was := st.named, st.missing, st.wildcard
	st.named, st.missing, st.wildcard = slotSet{}, nil, legacy
	names := st.at.finder(t)
	for _, name := range r.Names {
		if name == wildcard {
			st.wildcard = true // Rule 11.
			continue
		}
		res := names.find(name)
		if res == nil {
			setTrue(&st.missing, strings.Clone(name)) // Rules 22, 24.
			continue
		}
		st.named.add(res.slot)
		if first || !had.has(res.slot) && !was {
			st.owed.add(res.slot) // Rules 16, 17, 32.
			st.asked = true
		}
	}
	if st.wildcard && (first || !was) {
		st.oweAll(t)
		st.answer, st.asked = types[t].wildcard, true // Rules 31, 33.
	}
	if !was {
		st.neverHeld(t, had, hadMissing)
		if types[t].wildcard && slices.ContainsFunc(st.goneInFlight(t), func(name string) bool {
			return st.asks(name) && !hadMissing[name]
		}) {
			st.answer, st.asked = true, true
		}
	}
	st.unheld = slices.DeleteFunc(st.unheld, func(r *Resource) bool {
		now := st.at.lookup(t, r.Name)
		return now == nil || !st.selects(now) || st.owed.has(now.slot) // Nothing is lacking, or it is on its way.
	})
}

// neverHeld notes what acked has, or will have, and a client that asked for other
// names was never sent.
func (st *typeState) neverHeld(t Type, named slotSet, missing map[string]bool) {
	if st.acked == nil && st.inflight == nil {
		return // It has nothing.
	}
	note := func(name string) {
		r := st.at.lookup(t, name)
		if r != nil && !named.has(r.slot) || r == nil && !missing[name] {
			st.hasNone(t, name)
		}
	}
	if st.wildcard {
		for _, snap := range append(slices.Clip(st.trail), st.acked, st.at) {
			if snap != nil {
				for r := range snap.tables[t].all {
					note(r.Name)
				}
			}
		}
		return
	}
	for slot := range st.named.each {
		note(st.at.tables[t].at(slot).Name)
	}
	for name := range st.missing {
		note(name)
	}
}

// ignored: an answer without an error that keeps the old version comes from a
// client that does not watch the type any more (rule 41).
func (sotw) ignored(p *push, r *Request) bool { return r.Version != p.version }

func (sotw) whole(t Type) bool { return types[t].wildcard } // Rules 29, 30.

func (sotw) removals() bool { return false }

func (sotw) respond(t Type, at *Snapshot, upserts, _ *content) *Response {
	return &Response{
		TypeURL: t.URL(), Version: strconv.FormatUint(upserts.sum(), 36),
		Upserts: upserts.upserts,
		bodies:  bodies(upserts.sotwBody()),
	}
}
