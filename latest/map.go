package latest

import (
	"sync"
	"time"
)

// Map holds the latest value of each key that was put and not yet taken.
// It has any number of producers and one consumer.
type Map[K comparable, V any] struct {
	// ready has capacity one: a level, not a queue. It is filled after a put into an
	// empty map and says "there is something to take", however much that becomes.
	ready chan struct{}

	mu     sync.Mutex // guards what follows; held for map operations only
	values map[K]V
	since  time.Time // when the first of values was put
	taken  map[K]V   // by the last Take, to be used again; nil if it was not small
}

// small is how many values a map may hold to be used again: most batches are of a
// few, and one that once held everything would keep its size.
const small = 64

// New returns an empty map.
func New[K comparable, V any]() *Map[K, V] {
	return &Map[K, V]{ready: make(chan struct{}, 1), values: make(map[K]V)}
}

// Put replaces the value of key and wakes the consumer.
func (m *Map[K, V]) Put(key K, value V) {
	m.mu.Lock()
	first := m.begin()
	m.values[key] = value
	m.mu.Unlock()
	if first {
		m.signal()
	}
}

// PutAll replaces the values of all the given keys at once: the consumer sees
// all of them in one batch or none. It wakes the consumer even when values is
// empty, so that "there is nothing" can be said too.
func (m *Map[K, V]) PutAll(values map[K]V) {
	m.mu.Lock()
	m.begin()
	for k, v := range values {
		m.values[k] = v
	}
	m.mu.Unlock()
	m.signal()
}

// Ready yields a token when Take may have something new. One token may stand
// for many puts, and a token may turn out to stand for nothing.
func (m *Map[K, V]) Ready() <-chan struct{} { return m.ready }

// Take returns everything put since the last Take, and forgets it. The map is the
// consumer's until it takes again.
func (m *Map[K, V]) Take() map[K]V {
	taken, _ := m.TakeSince()
	return taken
}

// TakeSince is Take, and also returns when the first of it was put: how long the
// consumer may have kept its producers waiting. That is the zero time for nothing.
func (m *Map[K, V]) TakeSince() (taken map[K]V, since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if taken = m.values; len(taken) > 0 {
		since = m.since
	}
	if m.values = m.taken; m.values == nil {
		m.values = make(map[K]V)
	}
	clear(m.values)
	if m.taken = nil; len(taken) <= small {
		m.taken = taken
	}
	return taken, since
}

// begin tells whether what is put next is the first to be taken.
func (m *Map[K, V]) begin() bool {
	first := len(m.values) == 0
	if first {
		m.since = time.Now()
	}
	return first
}

func (m *Map[K, V]) signal() {
	select {
	case m.ready <- struct{}{}:
	default:
	}
}
