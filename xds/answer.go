package xds

import "slices"

// This file takes the answers to pushes, in the order in which these were sent.

// answered takes the ACK or NACK in a request, if it is one: it bears the nonce
// of a push that was not answered yet. Any other is no answer, whatever else it
// says (rules 19, 20, 81, 85).
func (s *Session) answered(st *typeState, r *Request) {
	open := st.open()
	i := slices.IndexFunc(open, func(p *push) bool { return p.nonce == r.Nonce })
	if i < 0 {
		return
	}
	p := open[i]
	st.overlook(i) // Answers come in order, so those before have none.
	if p == st.inflight {
		st.inflight = nil
	} else {
		st.late = st.late[1:]
	}
	s.changed = true
	switch {
	case r.Refused:
		s.refuse(r.Type, p, r.Reason)
	case s.protocol.ignored(p, r):
		st.ignore(p)
		return
	default:
		st.accept(p)
	}
	if r.Type == Listener {
		s.noteListener(r.Refused)
	}
	if st.inflight == nil {
		st.unheld = nil
		s.mend(r.Type)
	}
}

// overlook gives up the n oldest of the late pushes: nobody will answer them.
func (st *typeState) overlook(n int) {
	for _, p := range st.late[:n] {
		st.retry(p)
	}
	st.late = st.late[n:]
}

// giveUp forgets the oldest late push if there are too many. A client that answers
// after all may have refused it: what it had is sent anew then.
func (s *Session) giveUp(t Type) {
	st := &s.types[t]
	if len(st.late) <= maxLate {
		return
	}
	for _, r := range st.late[0].fresh {
		if st.wants(t, r.Name) {
			s.doubt(r)
		}
	}
	st.overlook(1)
}

// maxLate is how many late pushes of a type are remembered.
const maxLate = 16
