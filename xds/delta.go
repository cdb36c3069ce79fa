package xds

import (
	"slices"
	"strings"

	"google.golang.org/grpc/mem"
)

// delta is the incremental protocol: DeltaAggregatedResources.
type delta struct{}

func (delta) request(s *Session, t Type, r *Request, first bool) {
	st := &s.types[t]
	for _, name := range r.Unsubscribe {
		switch {
		case name == wildcard:
			st.wildcard = false // Rule 13: names stay.
		case st.unsubscribe(t, name) && st.wildcard:
			st.due(t, name) // Rule 14: it is still selected, so say what it is.
		}
	}
	if first {
		s.begin(t, r)
		return
	}
	for _, name := range r.Subscribe {
		if name == wildcard {
			if !st.wildcard {
				st.wildcard = true
				st.neverHeld(t, st.named, st.missing)
			}
			st.oweAll(t)
			st.asked = true
			for _, name := range st.goneInFlight(t) {
				setTrue(&st.gone, name)
			}
			continue
		}
		s.subscribe(t, name)
	}
}

// goneInFlight returns what is gone and on its way to the client: who did not ask
// for it was not told.
func (st *typeState) goneInFlight(t Type) (names []string) {
	for p := range st.open {
		for _, r := range p.fresh {
			if st.at.lookup(t, r.Name) == nil {
				names = append(names, r.Name)
			}
		}
	}
	return names
}

// begin applies the first request of a type. What the client claims to hold at
// the version that we have is skipped (rules 60, 61); what it claims and is not
// there is removed (rule 59).
func (s *Session) begin(t Type, r *Request) {
	st := &s.types[t]
	st.asked = true
	st.wildcard = slices.Contains(r.Subscribe, wildcard) || len(r.Subscribe) == 0 && types[t].wildcard // Rules 8, 9.
	held, gone, others := st.claimed(t, r.Claims)
	names := st.at.finder(t)
	for _, name := range r.Subscribe {
		switch res := names.find(name); {
		case res != nil:
			st.named.add(res.slot)
			if !held.has(res.slot) {
				st.owed.add(res.slot)
			}
		case name != wildcard:
			s.subscribe(t, name)
		}
	}
	if st.wildcard { // Else, rule 63: claims beyond the names are nobody's.
		rest := st.at.tables[t].slots()
		for slot := range held.each {
			rest.drop(slot)
		}
		st.owed.addAll(&rest)
		for _, c := range gone {
			s.vanishedBefore(t, c)
		}
		st.answer = len(r.Claims) == 0 // Rule 31.
	}
	if len(r.Claims) > 0 {
		st.attempts = s.resume
		few := st.owed.count <= maxTaintedClaims
		if few {
			for slot := range st.owed.each {
				r := st.at.tables[t].at(slot)
				st.record(t, r.Name).doubted = r.Version
			}
		}
		var suspects []*Resource
		for _, c := range others {
			res := names.find(c.Name)
			suspect := st.owed.has(res.slot) && st.at.suspect(res)
			switch {
			case res.Placeholder || suspect || few && st.owed.has(res.slot):
				rec := st.record(t, res.Name)
				rec.has, rec.doubted, rec.keeps = st.at.form(res, c.Version), res.Version, res.Placeholder
				if suspect && !res.Placeholder {
					st.owed.drop(res.slot) // It has a form, so it is only asked about this one.
					st.exclude(res)
					suspects = append(suspects, res)
				}
			case st.owed.has(res.slot):
				st.claims = append(st.claims, c)
			}
		}
		st.try(suspects)
	}
}

// recall makes records of what the client claimed to hold in another form, now that
// it refused a response before it accepted any.
func (st *typeState) recall(t Type) {
	for _, c := range st.claims {
		if r := st.at.lookup(t, c.Name); r != nil && st.ledger[c.Name] == nil {
			st.record(t, c.Name).has = st.at.form(r, c.Version)
		}
	}
	st.claims = nil
}

// claimed returns which resources a client need not be sent, because it holds
// them, what it holds and is gone, and what it holds in another form.
func (st *typeState) claimed(t Type, claims []Claim) (held slotSet, gone, others []Claim) {
	names := st.at.finder(t)
	for _, c := range claims {
		switch r := names.find(c.Name); {
		case r == nil:
			gone = append(gone, c)
		case r.Placeholder: // Rule 91: it replaces nothing.
			held.add(r.slot)
			if c.Version != r.Version {
				others = append(others, c)
			}
		case c.Version == r.Version && !st.at.suspect(r): // Rule 62: what some stream refused is tried again.
			held.add(r.slot)
		default:
			held.drop(r.slot) // Of two claims of a name the last counts.
			others = append(others, c)
		}
	}
	return held, gone, others
}

// form returns the form of a resource that has a version, as far as it is known.
func (s *Snapshot) form(r *Resource, version string) *Resource {
	if standIn := s.standIn(r); standIn != nil && standIn.Version == version {
		return standIn
	}
	return unknownForm(r, strings.Clone(version))
}

// maxTaintedClaims bounds what is encoded anew for a client that connects again.
// What it lacks may have been in a response that it refused on its last stream,
// which nobody here remembers, so it is sent in other bytes (rule 90). Where
// more than this is due, everything has changed: a new build, other options.
const maxTaintedClaims = 256

// vanishedBefore notes that a resource which the client claims to hold is gone. If
// others may refer to it, its removal waits its turn (rule 54).
func (s *Session) vanishedBefore(t Type, c Claim) {
	st, name := &s.types[t], strings.Clone(c.Name)
	if !removesLater(t) {
		setTrue(&st.gone, name)
		return
	}
	st.waits(t, name, st.at.seq).has = &Resource{Type: t, Name: name, Version: strings.Clone(c.Version)}
}

// due makes a name's present state due.
func (st *typeState) due(t Type, name string) {
	st.asked = true
	if r := st.at.lookup(t, name); r != nil {
		st.owed.add(r.slot)
		return
	}
	setTrue(&st.gone, strings.Clone(name))
}

func (delta) ignored(*push, *Request) bool { return false }
func (delta) whole(Type) bool              { return false }
func (delta) removals() bool               { return true }

func (delta) respond(t Type, at *Snapshot, upserts, removes *content) *Response {
	return &Response{
		TypeURL: t.URL(), Version: at.version(t),
		Upserts: upserts.upserts, Removes: removes.removes,
		bodies: bodies(upserts.deltaBody(), removes.deltaBody()),
	}
}

func bodies(b ...mem.BufferSlice) []mem.BufferSlice { return b }
