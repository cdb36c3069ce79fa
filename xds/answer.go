package xds

import "slices"

// This file takes the answers to pushes, in the order in which these were sent.

// answered takes the ACK or NACK in a request, if it is one: it bears the nonce
// of a push that was not answered yet. Any other is no answer, whatever else it
// says (rules 19, 20, 81, 85).
func (s *Session) answered(st *typeState, r *Request) {
	p, i := st.inflight, slices.IndexFunc(st.late, func(p *push) bool { return p.nonce == r.Nonce })
	switch {
	case i >= 0:
		p = st.late[i]
	case p != nil && p.nonce == r.Nonce:
		st.inflight, i = nil, len(st.late)
	default:
		return
	}
	for _, p := range st.late[:i] { // Answers come in order, so those before have none.
		st.untried = append(st.untried, st.again(p)...)
	}
	st.late = st.late[min(i+1, len(st.late)):]
	st.trials, st.untried = append(st.untried, st.trials...), nil
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

// giveUp forgets the oldest late push if there are too many. A client that answers
// after all may have refused it: what was in it is said anew then (see mend).
func (s *Session) giveUp(t Type) {
	st := &s.types[t]
	if len(st.late) <= s.maxLate {
		return
	}
	p := st.late[0]
	st.late = st.late[1:]
	st.attempts++
	for _, r := range p.fresh {
		if st.wants(t, r.Name) {
			s.doubt(r).loses(r)
		}
		setTrue(&st.unheard, r.Name) // It may be taken up when it is long gone.
	}
	for _, name := range p.removes {
		setTrue(&st.unheard, name)
	}
	st.untried = append(st.untried, st.again(p)...)
}

// maxLate is how many pushes of a type are remembered that were overtaken.
const maxLate = 16
