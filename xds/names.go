package xds

import "hash/maphash"

const (
	chunkSize  = 64 // buckets in a chunk
	bucketLoad = 4  // names in a bucket, on average, before the buckets are doubled
)

// names finds slots by name: an immutable hash table beside a table. A bucket
// holds slots, and the table says which name is in a slot, so a name costs eight
// bytes here: the slot, and some of the hash that spares the look at most other
// slots. Only a resource that comes or goes changes it, at the cost of one
// chunk and a pointer for each other chunk.
type names struct {
	seed   maphash.Seed
	chunks []*chunk // a power of two of them, or none
}

type chunk [chunkSize][]place

// place is where a name is.
type place struct{ slot, tag uint32 }

// same reports whether two name the same slots, without looking inside.
func (n *names) same(o *names) bool {
	return len(n.chunks) == len(o.chunks) && (len(n.chunks) == 0 || &n.chunks[0] == &o.chunks[0])
}

// bucket returns where a name's slot is, if anywhere: chunk, bucket, and tag.
func (n *names) bucket(name string) (c, b int, tag uint32) {
	h := maphash.String(n.seed, name)
	return int(h / chunkSize % uint64(len(n.chunks))), int(h % chunkSize), uint32(h >> 32)
}

// lookup returns the resource with a name, or nil.
func (t *table) lookup(name string) *Resource {
	if len(t.names.chunks) == 0 {
		return nil
	}
	c, b, tag := t.names.bucket(name)
	for _, p := range t.names.chunks[c][b] {
		if p.tag != tag {
			continue
		}
		if r := t.at(p.slot); r.Name == name {
			return r
		}
	}
	return nil
}

// finder looks up many names. Who names many does so mostly in the order of the
// slots (ours when they were published, a client's when it sorts), so it looks
// first behind the name before.
type finder struct {
	table *table
	next  uint32
}

// find returns the resource with a name, or nil.
func (f *finder) find(name string) *Resource {
	r := f.table.at(f.next)
	if r == nil || r.Name != name {
		if r = f.table.lookup(name); r == nil {
			return nil
		}
	}
	f.next = r.slot + 1
	return r
}

// addName notes the slot of a name that is new. The resource need not be there
// yet.
func (e *edit) addName(name string, slot uint32) {
	if e.count >= bucketLoad*chunkSize*len(e.names.chunks) {
		e.growNames()
	}
	c, b, tag := e.names.bucket(name)
	bucket := &e.ownChunk(c)[b]
	*bucket = append(append(make([]place, 0, len(*bucket)+1), *bucket...), place{slot, tag})
}

// dropName forgets the slot of a name.
func (e *edit) dropName(name string, slot uint32) {
	c, b, _ := e.names.bucket(name)
	bucket := &e.ownChunk(c)[b]
	kept := make([]place, 0, len(*bucket))
	for _, p := range *bucket {
		if p.slot != slot {
			kept = append(kept, p)
		}
	}
	*bucket = kept
}

// ownChunk returns a chunk that this edit may write to.
func (e *edit) ownChunk(i int) *chunk {
	if e.chunks == nil {
		e.chunks = make(map[int]bool)
		e.names.chunks = append([]*chunk(nil), e.names.chunks...)
	}
	if !e.chunks[i] {
		e.chunks[i] = true
		c := *e.names.chunks[i]
		e.names.chunks[i] = &c
	}
	return e.names.chunks[i]
}

// growNames doubles the buckets.
func (e *edit) growNames() {
	n := max(1, 2*len(e.names.chunks))
	if n == 1 {
		e.names.seed = maphash.MakeSeed()
	}
	e.names.chunks = make([]*chunk, n)
	e.chunks = make(map[int]bool, n)
	for i := range n {
		e.names.chunks[i] = new(chunk)
		e.chunks[i] = true
	}
	for r := range e.all {
		c, b, tag := e.names.bucket(r.Name)
		bucket := &e.names.chunks[c][b]
		*bucket = append(*bucket, place{r.slot, tag})
	}
}
