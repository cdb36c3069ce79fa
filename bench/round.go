package main

import (
	"context"
	"errors"
	"time"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/bench/server"
)

// This file is the pace at which changes are made, and what is noted of each.

// What one change takes decides how more are measured: fast ones in a row at a
// steady pace, so that nothing but them costs anything; slower ones each by itself.
const (
	fast     = 8 * time.Millisecond
	fastPace = 25 * time.Millisecond
	fastRow  = 30
	slowTime = 600 * time.Millisecond // for all of a round
	slowRow  = 8
)

// round makes some changes and notes when the last stream had each.
func (b *bench) round(ctx context.Context, c *contender, cell *cell) error {
	one, err := b.pace(ctx, c, 1, 0)
	if err != nil {
		return err
	}
	took := one.last[0]
	if took <= fast {
		row, err := b.pace(ctx, c, fastRow, fastPace)
		if err == nil {
			cell.add(row)
			return nil
		}
		if !errors.Is(err, load.ErrMissing) {
			return err
		}
		// Two of them came to a stream as one: something else took the cores.
	}
	cell.add(one)
	for range min(slowRow, slowTime/took) {
		if one, err = b.pace(ctx, c, 1, 0); err != nil {
			return err
		}
		cell.add(one)
	}
	return nil
}

// sample is some changes in a row.
type sample struct {
	last  []time.Duration // from each to the last stream
	cpu   time.Duration   // of each, on average
	bytes int             // of each, a stream
}

// pace makes n changes at a pace. It fails with load.ErrMissing when two of them
// came to a proxy as one.
func (b *bench) pace(ctx context.Context, c *contender, n int, every time.Duration) (sample, error) {
	before, err := c.settled(ctx)
	if err != nil {
		return sample{}, err
	}
	c.fleet.Arrivals()
	bytes := c.fleet.Bytes()
	at, err := c.run(ctx, server.Turn, n, every)
	if err != nil {
		return sample{}, err
	}
	patience := hung
	if n > 1 {
		patience = time.Second
	}
	missing := c.fleet.AwaitArrivals(ctx, n, patience)
	after, err := c.settled(ctx)
	if err = errors.Join(missing, err); err != nil {
		return sample{}, err
	}
	return sample{
		last:  lastOf(at, c.fleet.Arrivals()),
		cpu:   (after.CPU - before.CPU) / time.Duration(n),
		bytes: int(c.fleet.Bytes()-bytes) / n / c.fleet.Len(),
	}, nil
}

// lastOf returns how long after each change the last proxy had it. Each proxy has
// one arrival for each.
func lastOf(at []int64, arrivals [][]load.Arrival) []time.Duration {
	last := make([]time.Duration, len(at))
	for _, a := range arrivals {
		for k := range at {
			last[k] = max(last[k], time.Duration(a[k].At-at[k]))
		}
	}
	return last
}

func (c *cell) add(s sample) {
	c.last = append(c.last, s.last...)
	c.cpu = append(c.cpu, s.cpu)
	c.Bytes = s.bytes
	c.Changes += len(s.last)
}

func (c *cell) summarise() {
	c.P50, c.P99, c.CPU = median(c.last), percentile(c.last, 99), median(c.cpu)
}
