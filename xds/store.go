package xds

import (
	"sync"
	"sync/atomic"
)

// Change replaces or removes one resource.
type Change struct {
	Type     Type
	Name     string
	Resource *Resource // nil: removed
}

// Store holds the newest snapshot. Publishing never waits for a stream; a stream
// never misses the newest snapshot and may skip the ones between.
type Store struct {
	latest atomic.Pointer[Snapshot]
	first  chan struct{} // closed by the first publication

	mu    sync.Mutex // one publication at a time; guards what follows
	free  [numTypes][]uint32
	slots [numTypes]uint32 // slots ever given out

	keepsNothing bool // see KeepNothing
}

// NewStore returns a store that nothing was published to yet.
func NewStore() *Store {
	return &Store{first: make(chan struct{})}
}

// KeepNothing makes every removal reach every client in its turn, also a client that
// may have a form of something else which leads to what is removed. It is for
// resources whose meaning can change outside of this server, so that a kept one could
// come to lead anywhere. It must be called before the first publication.
func (s *Store) KeepNothing() { s.keepsNothing = true }

// Latest returns the newest snapshot, or nil before the first publication.
func (s *Store) Latest() *Snapshot { return s.latest.Load() }

// Published is closed once there is a snapshot. Until then streams are held and
// nothing is sent: an empty first answer would delete every listener (rule 34).
func (s *Store) Published() <-chan struct{} { return s.first }

// Publish makes the changes visible to all streams at once and returns the
// snapshot that has them; of several changes of one name the last counts.
// A change that changes nothing is dropped, and when none is left nothing is
// published (rule 37), except the first time. The cost is that of the changes.
func (s *Store) Publish(changes []Change) *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.latest.Load()
	if old == nil {
		old = empty
	}
	edits := old.edit()
	suspects := old.succeed(changes)
	changed := s.latest.Load() == nil
	for _, c := range changes {
		if s.apply(&edits[c.Type], c) {
			changed = true
		}
	}
	if !changed {
		return old
	}
	next := edits.snapshot(old.seq+1, suspects)
	for t := range numTypes {
		if next.tables[t].same(&old.tables[t]) {
			next.batches[t] = old.batches[t]
		}
	}
	return s.replace(next)
}

// edits are the tables of a snapshot that is being made.
type edits [numTypes]edit

func (s *Snapshot) edit() *edits {
	e := new(edits)
	for t := range numTypes {
		e[t].table = s.tables[t]
	}
	return e
}

func (e *edits) snapshot(seq uint64, suspects map[suspect]*Resource) *Snapshot {
	s := &Snapshot{seq: seq, suspects: suspects}
	for t := range numTypes {
		s.tables[t] = e[t].table
	}
	return s
}

// apply does one change and reports whether it was one.
func (s *Store) apply(e *edit, c Change) bool {
	old := e.lookup(c.Name)
	switch {
	case c.Resource == nil && old == nil:
		return false
	case c.Resource == nil:
		e.dropName(c.Name, old.slot)
		e.set(old.slot, nil)
		s.free[c.Type] = append(s.free[c.Type], old.slot)
		return true
	case old == nil:
		c.Resource.slot = s.allocate(c.Type)
		e.addName(c.Name, c.Resource.slot)
	case old.Version == c.Resource.Version && old.Placeholder == c.Resource.Placeholder:
		return false
	default:
		c.Resource.slot = old.slot
	}
	e.set(c.Resource.slot, c.Resource)
	return true
}

// allocate returns a slot for a new resource. A slot that became free is used
// again, so tables do not grow with churn.
func (s *Store) allocate(t Type) uint32 {
	if free := s.free[t]; len(free) > 0 {
		slot := free[len(free)-1]
		s.free[t] = free[:len(free)-1]
		return slot
	}
	s.slots[t]++
	return s.slots[t] - 1
}

// replace makes next the newest snapshot and wakes whoever waits for it.
func (s *Store) replace(next *Snapshot) *Snapshot {
	next.superseded, next.keepsNothing = make(chan struct{}), s.keepsNothing
	for t := range numTypes {
		if next.batches[t] == nil {
			next.batches[t] = new(batches)
		}
	}
	old := s.latest.Swap(next)
	if old == nil {
		close(s.first)
	} else {
		close(old.superseded)
	}
	return next
}
