package xds

// invariants holds a session against what the comments of its fields say must be true
// between two calls; the game looks after each. It returns what is not, or nothing.
func (s *Session) invariants() string {
	for t := range numTypes {
		st := &s.types[t]
		if st.inflight == nil && len(st.late) > 0 {
			return "a late response, and none in flight"
		}
		for i, snap := range st.trail {
			if snap.seq >= st.hop(i).seq {
				return "the trail is not in order"
			}
		}
		for name := range st.waiting {
			if st.at.lookup(t, name) != nil {
				return "what waits to go exists: " + name
			}
		}
		for name := range st.gone {
			if st.at.lookup(t, name) != nil {
				return "what is gone exists: " + name
			}
		}
		for slot := range st.named.each {
			if st.at.tables[t].at(slot) == nil {
				return "a slot that was asked for is empty"
			}
		}
		sent := st.underWay()
		for name, rec := range st.ledger {
			if rec.has != nil && rec.mayHave != nil {
				return "has, and may have: " + name
			}
			e := rec.excluded
			if e == nil {
				continue
			}
			if st.at.lookup(t, name) == nil {
				return "excluded, and does not exist: " + name
			}
			if e.standIn != nil && !s.protocol.whole(t) && !e.standsIn(e.resource) && !e.refused && sent[versionOf(e.resource)] != nil {
				return "an older form beside what is tried: " + name
			}
		}
	}
	return ""
}
