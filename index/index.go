// Package index finds values by a key that they hold themselves.
//
// A map from the names of objects to what is known of them keeps each name twice,
// beside the value and in it: 70 bytes an entry, with the room that it leaves for
// more. A Table keeps pointers alone, 13 bytes. Where hundreds of thousands of
// sites are in several such maps, that is a tenth of what is kept of them.
package index

import (
	"hash/maphash"
	"iter"
	"slices"
)

// Table is a set of values by key: a hash table with open addressing.
type Table[K comparable, V any] struct {
	key   func(*V) K // never changes for a value that is in the table
	seed  maphash.Seed
	slots []*V // a power of two, more than count
	count int
}

const smallest = 8 // slots

// New returns an empty table of values that have these keys.
func New[K comparable, V any](key func(*V) K) *Table[K, V] {
	return &Table[K, V]{key: key, seed: maphash.MakeSeed(), slots: make([]*V, smallest)}
}

// Len returns how many values there are.
func (t *Table[K, V]) Len() int { return t.count }

// Get returns the value with a key, or nil.
func (t *Table[K, V]) Get(key K) *V { return t.slots[t.find(key)] }

// Put adds a value, in place of the one with its key if there is one.
func (t *Table[K, V]) Put(value *V) {
	i := t.find(t.key(value))
	if t.slots[i] == nil {
		if t.count++; t.count > len(t.slots)/4*3 {
			t.grow()
			i = t.find(t.key(value))
		}
	}
	t.slots[i] = value
}

// Delete removes the value with a key, if there is one.
func (t *Table[K, V]) Delete(key K) {
	gap := t.find(key)
	if t.slots[gap] == nil {
		return
	}
	t.count--
	t.slots[gap] = nil
	// Whatever follows without a gap is found again only if nothing is missing
	// between where it belongs and where it is: so some of it moves up.
	for i := t.next(gap); t.slots[i] != nil; i = t.next(i) {
		home := t.home(t.key(t.slots[i]))
		if t.distance(home, i) >= t.distance(gap, i) {
			t.slots[gap], t.slots[i] = t.slots[i], nil
			gap = i
		}
	}
}

// All yields all values, in no order. Those that are added or deleted meanwhile
// make no difference to it.
func (t *Table[K, V]) All() iter.Seq[*V] {
	return func(yield func(*V) bool) {
		for _, value := range slices.Clone(t.slots) {
			if value != nil && !yield(value) {
				return
			}
		}
	}
}

// find returns the slot where a key is or would be.
func (t *Table[K, V]) find(key K) int {
	i := t.home(key)
	for t.slots[i] != nil && t.key(t.slots[i]) != key {
		i = t.next(i)
	}
	return i
}

func (t *Table[K, V]) home(key K) int {
	return int(maphash.Comparable(t.seed, key)) & (len(t.slots) - 1)
}

func (t *Table[K, V]) next(i int) int { return (i + 1) & (len(t.slots) - 1) }

// distance is how many steps it is from one slot to another.
func (t *Table[K, V]) distance(from, to int) int { return (to - from) & (len(t.slots) - 1) }

func (t *Table[K, V]) grow() {
	old := t.slots
	t.slots = make([]*V, 2*len(old))
	for _, value := range old {
		if value != nil {
			t.slots[t.find(t.key(value))] = value
		}
	}
}
