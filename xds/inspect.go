package xds

// A Holding is what a client has of one resource that it asked for.
type Holding struct {
	Resource *Resource // in its newest version
	State    HoldingState
	Reason   string // of a refusal, in the client's words
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
)

// Holdings returns what the client has of each resource of a type that it asked
// for and that exists, in no order. It costs as much as there are.
func (s *Session) Holdings(t Type) []Holding {
	st := &s.types[t]
	if !st.active {
		return nil
	}
	sent := make(map[string]bool)
	if st.inflight != nil {
		for _, r := range st.inflight.fresh {
			sent[r.Name] = true
		}
	}
	var out []Holding
	for r := range s.snap.tables[t].all {
		here := st.at.lookup(t, r.Name)
		if !st.wildcard && !st.missing[r.Name] && (here == nil || !st.named.has(here.slot)) {
			continue
		}
		h := Holding{Resource: r, State: Acked}
		e := st.excluded[r.Name]
		switch {
		case e != nil && e.refused && e.resource.Version == r.Version:
			h.State, h.Reason = Rejected, e.reason
		case e != nil && e.resource.Version == r.Version:
			h.State, h.Reason = Trying, e.reason
		case here == nil || here.Version != r.Version || st.owed.has(here.slot):
			h.State = NotSent
		case sent[r.Name]:
			h.State = Sent
		}
		out = append(out, h)
	}
	return out
}
