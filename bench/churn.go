package main

import (
	"context"
	"fmt"
	"time"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/server"
	"my-company.com/staticsite-operator/bench/sites"
)

// This file measures steady churn: half of the changes replace a pod, half give a
// site another domain.

// churnResult is one run of churn.
type churnResult struct {
	Sites, Streams int
	Rate           int // changes a second
	For            time.Duration
	Changes        int
	P50, P99, Max  time.Duration // from a change to a stream, over all streams
	CPU            float64       // cores
	Early, Late    uint64        // median of RSS in the second and in the last quarter, bytes
	Before, After  Memory        // when all garbage is collected
	Missing        string        `json:",omitempty"` // why it was not measured
}

func (b *bench) churn(ctx context.Context) {
	r := churnResult{Sites: 10_000, Streams: 10, Rate: 100, For: time.Minute}
	if b.short {
		r.For = 10 * time.Second
	}
	b.say("steady churn: %d changes a second for %v", r.Rate, r.For)
	c := b.contend(ctx, server.Spec{Kind: server.Ours, Sites: r.Sites}, true)
	defer c.close()
	c.try(func() error { return c.connect(ctx, r.Streams) })
	c.try(func() error { return b.churnAll(ctx, c, &r) })
	r.Missing = b.why(c.attempt, "churn", fmt.Sprintf("%d changes a second", r.Rate))
	b.reportChurn(r)
}

// churnAll fills r.
func (b *bench) churnAll(ctx context.Context, c *contender, r *churnResult) (err error) {
	// A first second, so that what is made once is there.
	if err := b.churnFor(ctx, c, &churnResult{Rate: r.Rate, For: time.Second}); err != nil {
		return err
	}
	if r.Before, err = c.inStep(ctx); err != nil {
		return err
	}
	before, err := c.settled(ctx)
	if err != nil {
		return err
	}
	if err := b.churnFor(ctx, c, r); err != nil {
		return err
	}
	after, err := c.settled(ctx)
	if err != nil {
		return err
	}
	r.CPU = (after.CPU - before.CPU).Seconds() / r.For.Seconds()
	r.After, err = c.inStep(ctx)
	return err
}

// churnFor makes changes of two kinds at once.
func (b *bench) churnFor(ctx context.Context, c *contender, r *churnResult) error {
	c.fleet.Arrivals()
	kinds := map[server.Change]func(int) string{server.Move: sites.MoveMarker, server.Rename: sites.RenameMarker}
	type made struct {
		change server.Change
		first  int
		at     []int64
		err    error
	}
	done := make(chan made, len(kinds))
	each := r.Rate / len(kinds)
	for change := range kinds {
		m := made{change: change, first: c.next[change]}
		c.next[change] += int(r.For.Seconds()) * each
		go func() {
			m.at, m.err = c.runFrom(ctx, change, m.first, int(r.For.Seconds())*each, time.Second/time.Duration(each))
			done <- m
		}()
	}
	rss := make(chan []uint64, 1)
	over, stop := context.WithCancel(ctx)
	defer stop()
	go func() { rss <- sampleRSS(over, c.process) }()
	var all []made
	for range kinds {
		m := <-done
		if m.err != nil {
			return m.err
		}
		all = append(all, m)
	}
	stop()
	samples := <-rss
	quarter := len(samples) / 4
	r.Early, r.Late = medianBytes(samples[quarter:2*quarter]), medianBytes(samples[len(samples)-quarter:])
	r.Changes = len(all[0].at) + len(all[1].at)
	arrivals := make([][]load.Arrival, c.fleet.Len())
	seen, missed, err := await(ctx, hung, func() (seen []time.Duration, missed int, err error) {
		for i, more := range c.fleet.Arrivals() {
			arrivals[i] = append(arrivals[i], more...)
			for _, m := range all {
				s, not := latencies(m.at, arrivals[i], kinds[m.change], m.first)
				seen, missed = append(seen, s...), missed+not
			}
		}
		return seen, missed, c.fleet.Err()
	})
	if err == nil && missed > 0 {
		err = fmt.Errorf("%d times, one of %d changes did not reach a stream within %v", missed, r.Changes, hung)
	}
	r.P50, r.P99, r.Max = median(seen), percentile(seen, 99), percentile(seen, 100)
	return err
}

// sampleRSS notes the memory of a server until ctx ends.
func sampleRSS(ctx context.Context, p *process) (samples []uint64) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if rss, err := memory(p.proc.Pid(), "VmRSS"); err == nil {
				samples = append(samples, rss)
			}
		case <-ctx.Done():
			return samples
		}
	}
}

func (b *bench) reportChurn(r churnResult) {
	t := report.Table{
		Title:   "Steady churn",
		Note:    "Half of the changes replace a pod, half give a site another domain. Time is from a change to each stream; the middle columns are RSS meanwhile, in the second and in the last quarter; the last ones before and after, when all garbage is collected",
		Columns: []string{"sites", "streams", "changes", "time p50", "p99", "worst", "CPU", "RSS early", "late", "live heap before", "after", "RSS before", "after"},
	}
	t.Add([]string{report.Count(r.Sites), report.Count(r.Streams), fmt.Sprintf("%d/s for %v", r.Rate, r.For)}, r.Missing, report.Time(r.P50), report.Time(r.P99),
		report.Time(r.Max), fmt.Sprintf("%.1f %%", 100*r.CPU), report.Bytes(r.Early), report.Bytes(r.Late),
		report.Bytes(r.Before.Heap), report.Bytes(r.After.Heap), report.Bytes(r.Before.RSS), report.Bytes(r.After.RSS))
	b.out.Tables = append(b.out.Tables, t)
	b.out.Data["churn"] = r
	b.out.Reach("churn", "p99", r.P99.Seconds()*1e3, 100, false, " ms")
	b.out.Reach("churn", "growth of the live heap", ratio(r.After.Heap, r.Before.Heap), 1.05, false, "x")
	b.out.Reach("churn", "growth of RSS, garbage collected", ratio(r.After.RSS, r.Before.RSS), 1.05, false, "x")
}
