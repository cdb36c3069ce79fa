package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/server"
)

// This file measures one site's change on its way to all streams, and what the
// server holds while all are in step.

// fanoutPlan is one number of sites.
type fanoutPlan struct {
	sites   int
	streams []int // in ascending order
	peers   int   // the most streams that peers are measured with
}

// cell is one server with one number of sites and streams.
type cell struct {
	Kind    server.Kind
	Sites   int
	Streams int
	Changes int           // that were measured
	P50     time.Duration // from a change to the last stream
	P99     time.Duration
	CPU     time.Duration // of the server, a change
	Bytes   int           // a change and stream
	Memory  Memory        // when all are in step
	Missing string        `json:",omitempty"` // why it was not measured

	last []time.Duration
	cpu  []time.Duration
}

// Memory is what a server's process holds, in bytes.
type Memory struct {
	RSS    uint64 // all of it, after garbage was collected and given back
	Anon   uint64 // the part that is not the binary's own pages
	Heap   uint64 // Go's objects
	Stacks uint64 // of goroutines
}

// contender is one of the servers that are measured in turns, as long as nothing of
// it goes wrong.
type contender struct {
	attempt
	spec server.Spec
	*process
	fleet *load.Fleet
}

// contend starts a server that is to be measured.
func (b *bench) contend(ctx context.Context, spec server.Spec, keep bool) *contender {
	c := &contender{spec: spec}
	c.try(func() (err error) {
		c.process, err = b.start(ctx, spec)
		return err
	})
	c.try(func() error {
		c.fleet = load.NewFleet(ctx, c.address, c.wants, keep)
		return nil
	})
	return c
}

func (c *contender) close() {
	if c.fleet != nil {
		c.fleet.Close()
	}
	if c.process != nil {
		c.stop()
	}
}

// fanout measures the plans with the layout scoped over delta.
func (b *bench) fanout(ctx context.Context) {
	plans := []fanoutPlan{{1_000, []int{10, 100, 1_000}, 100}, {10_000, []int{10, 100, 1_000}, 100}, {100_000, []int{10}, 0}}
	if b.short {
		plans = []fanoutPlan{{1_000, []int{10, 100}, 10}, {10_000, []int{10, 100}, 10}}
	}
	var cells []cell
	for _, plan := range plans {
		kinds := []server.Spec{{Kind: server.Ours}, {Kind: server.Floor}}
		if plan.peers > 0 {
			kinds = append(kinds, server.Spec{Kind: server.Linear}, server.Spec{Kind: server.Tuned}, server.Spec{Kind: server.Snapshot})
		}
		cells = append(cells, b.fanoutSites(ctx, plan, kinds)...)
	}
	b.reportFanout(cells)
	b.reportMemory(cells)
}

// sotw measures the first design's form: state of the world and one table.
func (b *bench) sotw(ctx context.Context) {
	plans := []fanoutPlan{{1_000, []int{10}, 10}, {10_000, []int{10}, 10}}
	if b.short {
		plans = plans[:1]
	}
	var cells []cell
	for _, plan := range plans {
		var specs []server.Spec
		for _, kind := range []server.Kind{server.Ours, server.Floor, server.Tuned, server.Snapshot} {
			specs = append(specs, server.Spec{Kind: kind, Sotw: true, Single: true})
		}
		cells = append(cells, b.fanoutSites(ctx, plan, specs)...)
	}
	b.reportSotw(cells)
}

func (b *bench) fanoutSites(ctx context.Context, plan fanoutPlan, specs []server.Spec) (cells []cell) {
	var all []*contender
	defer func() {
		for _, c := range all {
			c.close()
		}
	}()
	for _, spec := range specs {
		spec.Sites = plan.sites
		all = append(all, b.contend(ctx, spec, false))
	}
	for _, streams := range plan.streams {
		all = slices.DeleteFunc(all, func(c *contender) bool {
			peer := c.spec.Kind != server.Ours && c.spec.Kind != server.Floor
			if peer && streams > plan.peers {
				c.close()
				return true
			}
			return false
		})
		cells = append(cells, b.fanoutStreams(ctx, all, streams)...)
	}
	return cells
}

// fanoutStreams measures all contenders in turns.
func (b *bench) fanoutStreams(ctx context.Context, all []*contender, streams int) []cell {
	what := fmt.Sprintf("%s sites, %s streams%s", report.Count(all[0].spec.Sites), report.Count(streams), variant(all[0].spec))
	b.say("a change to all streams: %s", what)
	cells := make([]cell, len(all))
	for i, c := range all {
		cells[i] = cell{Kind: c.spec.Kind, Sites: c.spec.Sites, Streams: streams}
		c.try(func() error { return c.connect(ctx, streams-c.fleet.Len()) })
	}
	for range b.rounds(5) {
		for i, c := range all {
			c.try(func() error { return b.round(ctx, c, &cells[i]) })
		}
	}
	for i, c := range all {
		c.try(func() (err error) {
			cells[i].Memory, err = c.inStep(ctx)
			return err
		})
		c.try(func() error {
			return b.profile(ctx, c, fmt.Sprintf("fanout-%s-%d-%d", c.spec.Kind, c.spec.Sites, streams))
		})
		if c.failed == nil {
			cells[i].summarise()
		}
		cells[i].Missing = b.why(c.attempt, "one change", names[c.spec.Kind]+", "+what)
	}
	return cells
}

// connect adds streams and waits until all have everything.
func (c *contender) connect(ctx context.Context, streams int) error {
	ctx, cancel := bounded(ctx, hung, "not everything was sent")
	defer cancel()
	return c.fleet.Connect(ctx, streams)
}

func variant(s server.Spec) string {
	if s.Sotw {
		return ", state of the world, one table"
	}
	return ""
}

// inStep returns what a server holds when all streams are in step.
func (c *contender) inStep(ctx context.Context) (m Memory, err error) {
	if err := c.collect(); err != nil {
		return m, err
	}
	u, err := c.settled(ctx)
	if err != nil {
		return m, err
	}
	m.Heap, m.Stacks = u.Heap, u.Stacks
	if m.RSS, err = memory(c.proc.Pid(), "VmRSS"); err != nil {
		return m, err
	}
	m.Anon, err = memory(c.proc.Pid(), "RssAnon")
	return m, err
}
