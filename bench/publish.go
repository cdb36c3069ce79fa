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
	Missing   string        `json:",omitempty"` // why it was not measured
}

func (b *bench) publish(ctx context.Context) {
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
		one := published{Sites: n}
		var a attempt
		a.try(func() error { return b.publishSites(ctx, &one) })
		one.Missing = b.why(a, "publish", report.Count(n)+" sites")
		all = append(all, one)
		t.Add([]string{report.Count(n)}, one.Missing, report.Time(one.CPU), report.Bytes(uint64(one.Allocated)))
	}
	b.out.Tables = append(b.out.Tables, t)
	b.out.Data["publish"] = all
	largest := all[len(all)-1]
	b.out.Reach("publish", "CPU of one of "+report.Count(largest.Sites)+" sites", largest.CPU.Seconds()*1e3, 1, false, " ms")
}

func (b *bench) publishSites(ctx context.Context, r *published) error {
	p, err := b.start(ctx, server.Spec{Kind: server.Ours, Sites: r.Sites})
	if err != nil {
		return err
	}
	defer p.stop()
	const changes = 400
	var cpu []time.Duration
	var allocated []uint64
	for range b.rounds(5) {
		before, err := p.settled(ctx)
		if err != nil {
			return err
		}
		if _, err := p.run(ctx, server.Turn, changes, time.Millisecond); err != nil {
			return err
		}
		after, err := p.settled(ctx)
		if err != nil {
			return err
		}
		cpu = append(cpu, (after.CPU-before.CPU)/changes)
		allocated = append(allocated, (after.Allocated-before.Allocated)/changes)
	}
	r.CPU, r.Allocated = median(cpu), int(medianBytes(allocated))
	return nil
}
