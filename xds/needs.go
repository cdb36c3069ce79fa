package xds

// This file keeps a client from losing what it still needs: a form that it has
// because it refused the next one, or has not accepted it yet, leads to resources
// that nothing else leads to any more.

// needs are the names that nothing may take from a client.
type needs struct {
	names   map[string]bool
	unknown bool // it has a form that this server does not know
}

// needs returns what the client needs beyond what the positions tell.
func (s *Session) needs() needs {
	n := needs{names: make(map[string]bool)}
	for t := range numTypes {
		st := &s.types[t]
		for _, rec := range st.ledger {
			n.add(st, rec.has)
			if rec.excluded != nil {
				n.add(st, rec.excluded.standIn)
			}
		}
	}
	return n
}

// add adds what a form needs, unless the client asks for it no more, or it is what
// is served: whoever publishes that knows what it needs.
func (n *needs) add(st *typeState, r *Resource) {
	if r == nil {
		return
	}
	switch now := st.at.lookup(r.Type, r.Name); {
	case now == nil && !st.asks(r.Name):
		return
	case now != nil && (!st.selects(now) || now.Version == r.Version):
		return
	}
	for _, name := range r.Needs {
		n.names[name] = true
	}
	n.unknown = n.unknown || !r.known() && !removesLater(r.Type)
}

// keep tells whether a name must stay. A form that this server does not know may
// need any.
func (n *needs) keep(name string) bool { return n.unknown || n.names[name] }

// unserved returns what some names stand for, as the client has it, where nothing
// of that name is served any more.
func (s *Session) unserved(names []string) (held []*Resource) {
	for t := range numTypes {
		st := &s.types[t]
		if !removesLater(t) || st.at == nil {
			continue
		}
		for _, name := range names {
			if r := st.accepted(t, name); r.known() && s.snap.lookup(t, name) == nil {
				held = append(held, r)
			}
		}
	}
	return held
}
