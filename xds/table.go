package xds

// leafSize is how many resources a change of one of them copies pointers of.
const leafSize = 256

type leaf [leafSize]*Resource

// table is an immutable vector of resources by slot, in two levels. Changing one
// of N copies one leaf and N/256 leaf pointers; comparing two tables skips every
// leaf that they share, so it costs what changed and not what is there.
type table struct {
	leaves []*leaf
	names  names
	count  int    // resources
	sum    uint64 // of the resources' sums: equal content, equal sum, in whatever order it came to be
}

// at returns the resource in a slot, or nil.
func (t *table) at(slot uint32) *Resource {
	if i := int(slot / leafSize); i < len(t.leaves) && t.leaves[i] != nil {
		return t.leaves[i][slot%leafSize]
	}
	return nil
}

// same reports whether two tables are one, without looking inside.
func (t *table) same(o *table) bool {
	return len(t.leaves) == len(o.leaves) && (len(t.leaves) == 0 || &t.leaves[0] == &o.leaves[0])
}

// diff yields the slots whose resource differs, with what was there in from.
func (t *table) diff(from *table, yield func(old, new *Resource)) {
	if t.same(from) {
		return
	}
	for i := range max(len(t.leaves), len(from.leaves)) {
		var a, b *leaf
		if i < len(from.leaves) {
			a = from.leaves[i]
		}
		if i < len(t.leaves) {
			b = t.leaves[i]
		}
		if a == b {
			continue
		}
		if a == nil {
			a = &noLeaf
		}
		if b == nil {
			b = &noLeaf
		}
		for j := range leafSize {
			if a[j] != b[j] {
				yield(a[j], b[j])
			}
		}
	}
}

var noLeaf leaf

// all yields every resource in slot order.
func (t *table) all(yield func(*Resource) bool) {
	for _, l := range t.leaves {
		if l == nil {
			continue
		}
		for _, r := range l {
			if r != nil && !yield(r) {
				return
			}
		}
	}
}

// slots returns where there is a resource.
func (t *table) slots() (set slotSet) {
	for i, l := range t.leaves {
		if l == nil {
			continue
		}
		for j, r := range l {
			if r != nil {
				set.add(uint32(i*leafSize + j))
			}
		}
	}
	return set
}

// An edit is a table being changed by one publication: it copies a leaf when it
// first touches it.
type edit struct {
	table
	copied map[int]bool // leaves that are this edit's own; nil: none is
	chunks map[int]bool // chunks of names, likewise
}

func (e *edit) set(slot uint32, r *Resource) {
	i := int(slot / leafSize)
	if e.copied == nil {
		e.copied = make(map[int]bool)
		e.leaves = append(make([]*leaf, 0, max(len(e.leaves), i+1)), e.leaves...)
	}
	for len(e.leaves) <= i {
		e.leaves = append(e.leaves, nil)
	}
	if !e.copied[i] {
		e.copied[i] = true
		l := new(leaf)
		if e.leaves[i] != nil {
			*l = *e.leaves[i]
		}
		e.leaves[i] = l
	}
	cell := &e.leaves[i][slot%leafSize]
	if *cell != nil {
		e.count--
		e.sum -= (*cell).sum
	}
	if r != nil {
		e.count++
		e.sum += r.sum
	}
	*cell = r
}
