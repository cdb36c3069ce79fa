package xds

import "strconv"

// sotw is the state-of-the-world protocol: StreamAggregatedResources.
type sotw struct{}

// request takes the names of a request: always all that the client wants.
func (sotw) request(s *Session, t Type, r *Request, first bool) {
	st := &s.types[t]
	if r.Nonce == "" { // Rule 21: the type starts again.
		first, st.inflight = true, nil
	}
	st.everName = st.everName || len(r.Names) > 0
	legacy := !st.everName && types[t].wildcard // Rules 8 to 10.

	had, was := st.named, st.wildcard
	st.named, st.missing, st.wildcard = slotSet{}, nil, legacy
	for _, name := range r.Names {
		if name == wildcard {
			st.wildcard = true // Rule 11.
			continue
		}
		res := st.at.lookup(t, name)
		if res == nil {
			setTrue(&st.missing, name) // Rules 22, 24.
			continue
		}
		st.named.add(res.slot)
		if first || !had.has(res.slot) && !was {
			st.owed.add(res.slot) // Rules 16, 17, 32.
		}
	}
	if st.wildcard && (first || !was) {
		st.oweAll(t)
		st.answer = true // Rule 31.
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
