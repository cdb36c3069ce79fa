package xds

// This file keeps a client from losing what it still needs: a form that it has
// because it refused the next one, or has not accepted it yet, leads to resources
// that nothing else leads to any more.

// needs are the names that nothing may take from a client.
type needs struct {
	names   map[string]bool
	unknown *Snapshot // what there was when it was first seen to have a form that this server does not know
}

// needs returns what the client needs beyond what the positions tell.
func (s *Session) needs() needs {
	if s.snap.keepsNothing {
		return needs{}
	}
	n, unknown := needs{names: make(map[string]bool)}, false
	for t := range numTypes {
		st := &s.types[t]
		unknown = unknown || len(st.claims) > 0 && !removesLater(t)
		for _, rec := range st.ledger {
			unknown = n.add(st, rec.has) || unknown
			unknown = n.add(st, rec.mayHave) || unknown
		}
	}
	switch clusters := &s.types[Cluster]; {
	case !unknown:
		s.unknown = nil
	case s.unknown == nil && len(clusters.trail) > 0:
		s.unknown = clusters.trail[0]
	case s.unknown == nil:
		s.unknown = s.snap
	}
	n.unknown = s.unknown
	return n
}

// add adds what a form needs, unless it is what is served: whoever publishes that
// knows what it needs. It reports whether nobody knows what the form needs.
func (n *needs) add(st *typeState, r *Resource) (unknown bool) {
	if r == nil {
		return false
	}
	if now := st.at.lookup(r.Type, r.Name); now != nil && now.Version == r.Version {
		return false
	}
	for _, name := range r.Needs {
		n.names[name] = true
	}
	return !r.known() && !removesLater(r.Type)
}

// keep reports whether a name must stay that waits to be removed, or does not wait
// yet. A form that this server does not know may need any that is older than it.
func (n *needs) keep(name string, waits bool) bool {
	return n.names[name] || n.unknown != nil && (waits || n.unknown.lookup(Cluster, name) != nil)
}
