package xds

import (
	"strings"
)

// This file keeps what a client asked for. Slots name resources only together with a
// snapshot; every set of slots in a typeState belongs to its snapshot at, and follow moves
// them along.

const wildcard = "*"

// selects reports whether the client asked for this resource.
func (st *typeState) selects(r *Resource) bool { return st.wildcard || st.named.has(r.slot) }

// wants reports whether the client asked for this name.
func (st *typeState) wants(t Type, name string) bool {
	if r := st.at.lookup(t, name); r != nil {
		return st.selects(r)
	}
	return st.asks(name)
}

// asks reports whether the client asked for this name, which does not exist.
func (st *typeState) asks(name string) bool { return st.wildcard || st.missing[name] }

// subscribe adds a name and makes it due, even if the client has it (rule 16).
func (s *Session) subscribe(t Type, name string) {
	st := &s.types[t]
	st.asked = true
	if !st.wildcard && (st.acked != nil || st.inflight != nil) && !st.missing[name] {
		if r := st.at.lookup(t, name); r == nil || !st.named.has(r.slot) {
			st.hasNone(t, name) // What acked has of it was never sent, or dropped since.
		}
	}
	if r := st.at.lookup(t, name); r != nil {
		st.named.add(r.slot)
		st.owed.add(r.slot)
		return
	}
	name = strings.Clone(name)
	setTrue(&st.missing, name) // Rule 22.
	setTrue(&st.gone, name)    // Rules 23, 82.
}

// unsubscribe drops a name and reports whether it was there.
func (st *typeState) unsubscribe(t Type, name string) bool {
	if st.missing[name] {
		delete(st.missing, name)
		delete(st.gone, name)
		return true
	}
	r := st.at.lookup(t, name)
	if r == nil || !st.named.has(r.slot) {
		return false
	}
	st.named.drop(r.slot)
	return true
}

// oweAll makes everything due.
func (st *typeState) oweAll(t Type) {
	st.owed = st.at.tables[t].slots()
}

// follow moves the sets of slots along a batch that starts at at.
func (s *Session) follow(st *typeState, b *batch) {
	if st.named.count == 0 && len(st.missing) == 0 && len(st.gone) == 0 && st.owed.count == 0 && len(st.ledger) == 0 && len(st.waiting) == 0 {
		return
	}
	owed := make(map[string]bool) // by name, where the name left its slot
	for _, c := range b.changes {
		if c.old == nil || c.new != nil && c.new.Name == c.old.Name {
			continue
		}
		if st.named.has(c.old.slot) {
			st.named.drop(c.old.slot)
			setTrue(&st.missing, c.old.Name)
		}
		if st.owed.has(c.old.slot) {
			st.owed.drop(c.old.slot)
			owed[c.old.Name] = true
		}
	}
	for _, r := range b.removed {
		st.forget(r.Name)
	}
	for _, c := range b.changes {
		if c.new == nil {
			continue
		}
		delete(st.gone, c.new.Name)
		delete(st.waiting, c.new.Name) // If it goes again, the trail tells.
		if st.missing[c.new.Name] {
			delete(st.missing, c.new.Name)
			st.named.add(c.new.slot)
		}
		if owed[c.new.Name] {
			st.owed.add(c.new.slot)
		}
	}
}

func setTrue(set *map[string]bool, name string) {
	if *set == nil {
		*set = make(map[string]bool)
	}
	(*set)[name] = true
}
