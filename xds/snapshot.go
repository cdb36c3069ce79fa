package xds

import (
	"slices"
	"strconv"
	"sync"
	"weak"
)

// Snapshot is everything that is served, at one moment. It is immutable and
// shares what did not change with the snapshots around it.
type Snapshot struct {
	seq      uint64
	tables   [numTypes]table
	suspects map[suspect]*Resource // by stand-in (see Store.Suspect); not to be modified

	keepsNothing bool // see Store.KeepNothing

	superseded chan struct{}      // closed when there is a newer snapshot
	batches    [numTypes]*batches // those that end here; as long as a table stays the same, so do these
}

// suspect is a version of a resource that some stream refused.
type suspect struct {
	t             Type
	name, version string
}

func suspectOf(r *Resource) suspect { return suspect{r.Type, r.Name, r.Version} }

// empty is the snapshot before the first.
var empty = new(Snapshot)

// Seq numbers the snapshots of one Store, from 1 upwards.
func (s *Snapshot) Seq() uint64 { return s.seq }

// Superseded is closed when there is a newer snapshot.
func (s *Snapshot) Superseded() <-chan struct{} { return s.superseded }

// Len returns how many resources of a type there are.
func (s *Snapshot) Len(t Type) int { return s.tables[t].count }

// version identifies the content of a type's table: equal on every replica that
// serves the same (rules 35, 36).
func (s *Snapshot) version(t Type) string { return strconv.FormatUint(s.tables[t].sum, 36) }

// VersionOf returns the version of a resource, empty if there is none of the name.
func (s *Snapshot) VersionOf(name ResourceName) string {
	if r := s.lookup(name.Type, name.Name); r != nil {
		return r.Version
	}
	return ""
}

// lookup returns the resource with a name, or nil.
func (s *Snapshot) lookup(t Type, name string) *Resource {
	return s.tables[t].lookup(name)
}

// finder returns one of the resources of a type.
func (s *Snapshot) finder(t Type) finder { return finder{table: &s.tables[t]} }

// assignments returns where the assignments of clusters are.
func (s *Snapshot) assignments(clusters []*Resource) *slotSet {
	set, names := new(slotSet), s.finder(Endpoint)
	for _, c := range clusters {
		if r := names.find(c.Name); r != nil {
			set.add(r.slot)
		}
	}
	return set
}

// suspect reports whether this version of the resource was refused by a stream.
func (s *Snapshot) suspect(r *Resource) bool {
	if len(s.suspects) == 0 {
		return false
	}
	_, ok := s.suspects[suspectOf(r)]
	return ok
}

// standIn returns what clients have that refused the resource, or nil.
func (s *Snapshot) standIn(r *Resource) *Resource { return s.suspects[suspectOf(r)] }

// serves reports whether a version of a resource is the one in this snapshot.
func (s *Snapshot) serves(v suspect) bool {
	r := s.lookup(v.t, v.name)
	return r != nil && r.Version == v.version
}

// batch is the way of one type from one snapshot to a later one. It is immutable
// and shared by all streams that go this way.
type batch struct {
	changes  []change // slot by slot
	upserts  content
	removes  content
	removed  []*Resource // what removes names
	suspects []*Resource // upserts too, but sent last and alone
}

// change is what happened in one slot. The two may have different names.
type change struct{ old, new *Resource }

// since returns the batch from an earlier snapshot to this one. Suspects are in
// it apart. A name that moved to another slot is one upsert and no removal (rule
// 89), and none at all if it came back as it was (rule 37).
func (s *Snapshot) since(from *Snapshot, t Type) *batch {
	if s.tables[t].same(&from.tables[t]) {
		return noChange
	}
	return s.share(from, t, false, func(b *batch) {
		gone := make(map[string]*Resource)
		s.tables[t].diff(&from.tables[t], func(old, new *Resource) {
			b.changes = append(b.changes, change{old, new})
			if old != nil && (new == nil || new.Name != old.Name) {
				gone[old.Name] = old
			}
		})
		for _, c := range b.changes {
			if c.new == nil {
				continue
			}
			before := gone[c.new.Name]
			if c.old != nil && c.old.Name == c.new.Name {
				before = c.old
			}
			delete(gone, c.new.Name)
			switch {
			case before != nil && before.Version == c.new.Version:
			case s.suspect(c.new):
				b.suspects = append(b.suspects, c.new)
			default:
				b.upserts.upserts = append(b.upserts.upserts, c.new)
			}
		}
		for _, c := range b.changes {
			if c.old != nil && gone[c.old.Name] != nil {
				b.removes.removes = append(b.removes.removes, c.old.Name)
				b.removed = append(b.removed, c.old)
			}
		}
	})
}

var noChange = new(batch)

// full returns all resources of a type, suspects too: what a state-of-the-world
// client is sent.
func (s *Snapshot) full(t Type) *content {
	return &s.share(empty, t, true, func(b *batch) {
		b.upserts.upserts = slices.AppendSeq(make([]*Resource, 0, s.tables[t].count), s.tables[t].all)
	}).upserts
}

// batches are those that end at one table and that some stream has in flight. A
// second copy of a large configuration is not kept for the next who may want it.
type batches struct {
	mu   sync.Mutex // never held while a batch is built
	live []weak.Pointer[sharedBatch]
}

// sharedBatch is a batch that is built once, by whoever needs it first.
type sharedBatch struct {
	from  uint64
	full  bool
	once  sync.Once
	batch batch
}

// share returns the batch with this key, built by at most one caller.
func (s *Snapshot) share(from *Snapshot, t Type, full bool, build func(*batch)) *batch {
	b := s.batches[t].find(from.seq, full)
	b.once.Do(func() { build(&b.batch) })
	return &b.batch
}

func (bs *batches) find(from uint64, full bool) *sharedBatch {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	live := bs.live[:0]
	var found *sharedBatch
	for _, w := range bs.live {
		b := w.Value()
		if b == nil {
			continue
		}
		live = append(live, w)
		if b.from == from && b.full == full {
			found = b
		}
	}
	if found == nil {
		found = &sharedBatch{from: from, full: full}
		live = append(live, weak.Make(found))
	}
	bs.live = live
	return found
}
