package xds

// StreamState is what one connected client holds: all of the snapshot with
// number Acked, type by type, but for the exceptions.
type StreamState struct {
	ID     uint64 // of the stream, unique in this process
	Node   string // the client's node id, not unique
	Closed bool   // the stream has ended; everything else is what was known last

	Types      [numTypes]TypeState
	Exceptions map[ResourceName]Exception // not to be modified
}

// TypeState is what a client holds of one type.
type TypeState struct {
	Active bool   // it asked for all of the type, or by name for something that exists
	Acked  uint64 // Seq of the snapshot that it acknowledged; 0: none yet
}

// ResourceName is a resource by name.
type ResourceName struct {
	Type Type
	Name string
}

// Exception is a resource that a client does not hold in its newest version.
type Exception struct {
	Version string // the one in question; empty: any that it does not have yet, after a refusal or the like
	Refused bool   // the client refused it; else it is still being tried
	Reason  string // the client's words (see Words)
	Older   bool   // the client holds another form of it, which it goes on with
}

// State returns what the client holds, and whether that changed since the last
// call.
func (s *Session) State() (StreamState, bool) {
	changed := s.changed
	s.changed = false
	if !changed {
		return StreamState{}, false
	}
	var state StreamState
	for t := range numTypes {
		st := &s.types[t]
		state.Types[t].Active = st.active && (st.wildcard || st.named.count > 0)
		if st.acked != nil {
			state.Types[t].Acked = st.acked.seq
		}
		for name, rec := range st.ledger {
			if e := rec.excluded; e != nil {
				state.except(ResourceName{t, name}, Exception{e.resource.Version, e.refused, e.reason, rec.has != nil})
			} else if st.lacks(t, name, rec) {
				state.except(ResourceName{t, name}, Exception{Older: rec.has != nil})
			}
		}
	}
	return state, true
}

func (s *StreamState) except(name ResourceName, e Exception) {
	if s.Exceptions == nil {
		s.Exceptions = make(map[ResourceName]Exception)
	}
	s.Exceptions[name] = e
}
