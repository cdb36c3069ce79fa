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

// contender is one of the servers that are measured in turns.
type contender struct {
	*process
	fleet *load.Fleet
}

func (c contender) close() {
	c.fleet.Close()
	c.stop()
}

// fanout measures the plans with the layout scoped over delta.
func (b *bench) fanout(ctx context.Context) error {
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
		c, err := b.fanoutSites(ctx, plan, kinds)
		if err != nil {
			return err
		}
		cells = append(cells, c...)
	}
	b.reportFanout(cells)
	b.reportMemory(cells)
	return nil
}

// sotw measures the first design's form: state of the world and one table.
func (b *bench) sotw(ctx context.Context) error {
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
		c, err := b.fanoutSites(ctx, plan, specs)
		if err != nil {
			return err
		}
		cells = append(cells, c...)
	}
	b.reportSotw(cells)
	return nil
}

func (b *bench) fanoutSites(ctx context.Context, plan fanoutPlan, specs []server.Spec) (cells []cell, err error) {
	var all []contender
	defer func() {
		for _, c := range all {
			c.close()
		}
	}()
	for _, spec := range specs {
		spec.Sites = plan.sites
		p, err := b.start(ctx, spec)
		if err != nil {
			return nil, err
		}
		all = append(all, contender{p, load.NewFleet(ctx, p.address, p.wants, false)})
	}
	for _, streams := range plan.streams {
		all = slices.DeleteFunc(all, func(c contender) bool {
			peer := c.spec.Kind != server.Ours && c.spec.Kind != server.Floor
			if peer && streams > plan.peers {
				c.close()
				return true
			}
			return false
		})
		c, err := b.fanoutStreams(ctx, all, streams)
		if err != nil {
			return nil, err
		}
		cells = append(cells, c...)
	}
	return cells, nil
}

// fanoutStreams measures all contenders in turns.
func (b *bench) fanoutStreams(ctx context.Context, all []contender, streams int) ([]cell, error) {
	b.say("a change to all streams: %s sites, %s streams%s", report.Count(all[0].spec.Sites), report.Count(streams), variant(all[0].spec))
	cells := make([]cell, len(all))
	for i, c := range all {
		cells[i] = cell{Kind: c.spec.Kind, Sites: c.spec.Sites, Streams: streams}
		if err := c.fleet.Connect(ctx, streams-c.fleet.Len()); err != nil {
			return nil, fmt.Errorf("connect %d streams to %s with %d sites: %w", streams, c.spec.Kind, c.spec.Sites, err)
		}
	}
	for range b.rounds(5) {
		for i, c := range all {
			if err := b.round(ctx, c, &cells[i]); err != nil {
				return nil, fmt.Errorf("%s with %d sites and %d streams: %w", c.spec.Kind, c.spec.Sites, streams, err)
			}
		}
	}
	for i, c := range all {
		var err error
		if cells[i].Memory, err = c.inStep(ctx); err != nil {
			return nil, err
		}
		cells[i].summarise()
		if err := b.profile(c, fmt.Sprintf("fanout-%s-%d-%d", c.spec.Kind, c.spec.Sites, streams)); err != nil {
			return nil, err
		}
	}
	return cells, nil
}

func variant(s server.Spec) string {
	if s.Sotw {
		return ", state of the world, one table"
	}
	return ""
}

// inStep returns what a server holds when all streams are in step.
func (c contender) inStep(ctx context.Context) (m Memory, err error) {
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
