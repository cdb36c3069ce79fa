package main

import (
	"context"
	"time"

	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/server"
)

// published is what it costs to make a change visible when nobody listens:
// translate, validate, encode, hash, store and judge.
type published struct {
	Sites     int
	CPU       time.Duration // a change
	Allocated int           // bytes, a change
}

func (b *bench) publish(ctx context.Context) error {
	sizes := []int{1_000, 10_000, 100_000}
	if b.short {
		sizes = sizes[:2]
	}
	t := report.Table{
		Title:   "Publishing one change, without streams",
		Note:    "Translation, validation, encoding, hash, store and the site's verdict",
		Columns: []string{"sites", "CPU", "allocated"},
	}
	var all []published
	for _, n := range sizes {
		b.say("publishing one change: %s sites", report.Count(n))
		one, err := b.publishSites(ctx, n)
		if err != nil {
			return err
		}
		all = append(all, one)
		t.Rows = append(t.Rows, []string{report.Count(n), report.Time(one.CPU), report.Bytes(uint64(one.Allocated))})
	}
	b.out.Tables = append(b.out.Tables, t)
	b.out.Data["publish"] = all
	largest := all[len(all)-1]
	b.out.Reach("publish", "CPU of one of "+report.Count(largest.Sites)+" sites", largest.CPU.Seconds()*1e3, 1, false, " ms")
	return nil
}

func (b *bench) publishSites(ctx context.Context, n int) (published, error) {
	p, err := b.start(ctx, server.Spec{Kind: server.Ours, Sites: n})
	if err != nil {
		return published{}, err
	}
	defer p.stop()
	const changes = 400
	var cpu []time.Duration
	var allocated []uint64
	for range b.rounds(5) {
		before, err := p.settled(ctx)
		if err != nil {
			return published{}, err
		}
		if _, err := p.run(server.Turn, changes, time.Millisecond); err != nil {
			return published{}, err
		}
		after, err := p.settled(ctx)
		if err != nil {
			return published{}, err
		}
		cpu = append(cpu, (after.CPU-before.CPU)/changes)
		allocated = append(allocated, (after.Allocated-before.Allocated)/changes)
	}
	return published{n, median(cpu), int(medianBytes(allocated))}, nil
}
