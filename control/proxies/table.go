package proxies

import (
	"math"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/xds"
)

// Table is what the connected proxies of this replica hold.
type Table struct {
	routes xds.Type // the type that holds the sites' routes, by layout
	log    *zap.Logger

	// Invariant: a connected client that asks for listeners is in exactly one of the
	// two; a client that has gone, or asks for none, is in neither.
	serving map[uint64]xds.StreamState // by stream
	idle    map[uint64]*idle           // by stream

	// Invariant: holders counts each serving proxy once, by the snapshot that it
	// holds. No count is zero. Floor is the oldest of these snapshots, which every
	// serving proxy holds; MaxUint64 if none serves.
	holders map[uint64]int
	floor   uint64

	// Invariant: the exceptions of the serving proxies, and no others. No inner map
	// is empty.
	exceptions map[xds.ResourceName]map[uint64]exception // by stream
}

// New returns a table of no proxies. Routes is the type that holds the sites' routes.
func New(routes xds.Type, log *zap.Logger) *Table {
	return &Table{
		routes: routes, log: log,
		serving: make(map[uint64]xds.StreamState), idle: make(map[uint64]*idle),
		holders: make(map[uint64]int), floor: math.MaxUint64,
		exceptions: make(map[xds.ResourceName]map[uint64]exception),
	}
}

// Observe takes what streams acknowledged, refused, or that they ended. It returns
// the resources of which a proxy says something else than before, each perhaps more
// than once.
func (t *Table) Observe(states map[uint64]xds.StreamState, now time.Time) (touched []Touched) {
	for id, state := range states {
		old, was := t.serving[id]
		if was {
			t.count(old, -1)
		}
		if t.attend(id, state, now) {
			t.serving[id] = state
			t.count(state, +1)
		} else {
			delete(t.serving, id)
			state.Exceptions = nil
		}
		touched = t.except(id, old, state, touched)
	}
	t.floor = math.MaxUint64
	for seq := range t.holders { // A few: proxies keep up, or stand still.
		t.floor = min(t.floor, seq)
	}
	return touched
}

// Serving is how many proxies serve.
func (t *Table) Serving() int { return len(t.serving) }

// Idle is how many clients are connected and ask for listeners, but do not serve.
func (t *Table) Idle() int { return len(t.idle) }

// Reached reports whether every serving proxy holds a snapshot; false if none serves.
func (t *Table) Reached(seq uint64) bool { return len(t.serving) > 0 && seq <= t.floor }

// count adds a proxy to those that hold what it holds, or takes it away.
func (t *Table) count(p xds.StreamState, n int) {
	seq := holds(p)
	if t.holders[seq] += n; t.holders[seq] == 0 {
		delete(t.holders, seq)
	}
}

// holds returns the snapshot that a proxy has acknowledged in all types that make up
// a site.
func holds(p xds.StreamState) uint64 {
	floor := uint64(math.MaxUint64)
	for typ, state := range p.Types {
		if state.Active && xds.Type(typ) != xds.Endpoint {
			floor = min(floor, state.Acked)
		}
	}
	return floor
}
