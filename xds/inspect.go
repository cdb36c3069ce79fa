package xds

import "iter"

// A Holding is what a client has of one resource that it asked for.
type Holding struct {
	Resource *Resource // in its newest version
	State    HoldingState
	Reason   string // of a refusal, in the client's words
	Has      string // the version that the client goes on with; empty: none, or not known
}

// HoldingState is how far a resource has come.
type HoldingState uint8

// The states.
const (
	NotSent  HoldingState = iota // it waits for its turn
	Sent                         // it was sent, and not answered yet
	Acked                        // the client acknowledged it
	Rejected                     // the client refused it, and has what it had before
	Trying                       // it was in a refused response, and is tried again
	NotAsked                     // the client does not ask for it
)

// Holdings returns what the client has of each resource of a type that it asked
// for and that exists, in no order. It costs as much as there are.
func (s *Session) Holdings(t Type) []Holding {
	return s.holdings(t, func(yield func(*Resource) bool) {
		for r := range s.snap.tables[t].all {
			if s.asks(t, r) && !yield(r) {
				return
			}
		}
	})
}

// HoldingsOf is Holdings of those resources alone that have one of the names,
// whether the client asked for them or not.
func (s *Session) HoldingsOf(t Type, names []string) []Holding {
	return s.holdings(t, func(yield func(*Resource) bool) {
		for _, name := range names {
			if r := s.snap.lookup(t, name); r != nil && !yield(r) {
				return
			}
		}
	})
}

// asks reports whether the client asked for a resource.
func (s *Session) asks(t Type, r *Resource) bool {
	st := &s.types[t]
	return st.active && st.wants(t, r.Name)
}

func (s *Session) holdings(t Type, resources iter.Seq[*Resource]) []Holding {
	st := &s.types[t]
	sent := make(map[string]string) // versions under way, by name
	for p := range st.open {
		for _, r := range p.fresh {
			sent[r.Name] = r.Version
		}
	}
	var out []Holding
	for r := range resources {
		if !s.asks(t, r) {
			out = append(out, Holding{Resource: r, State: NotAsked})
			continue
		}
		here := st.at.lookup(t, r.Name)
		h := Holding{Resource: r, State: Acked}
		e := st.exclusion(r.Name)
		apart := e != nil && e.resource.Version == r.Version
		switch {
		case apart && e.refused:
			h.State, h.Reason = Rejected, e.reason
		case apart && e.reason != "":
			h.State, h.Reason = Trying, e.reason
		case sent[r.Name] == r.Version:
			h.State = Sent
		case apart, here == nil || here.Version != r.Version || st.owed.has(here.slot):
			h.State = NotSent // apart: another client refused it, so it comes last
		}
		switch has := st.accepted(t, r.Name); {
		case h.State == Acked:
			h.Has = r.Version
		case has != nil:
			h.Has = has.Version
		}
		out = append(out, h)
	}
	return out
}
