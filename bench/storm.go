package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/server"
	"my-company.com/staticsite-operator/bench/sites"
)

// This file measures storms: all streams connect at once and get everything.

// storm is one server and one number of streams.
type storm struct {
	Kind    server.Kind
	Sites   int
	Streams int
	Busy    bool          // the sites change meanwhile
	Time    time.Duration // until the last stream had everything
	CPU     time.Duration // of the server
	Peak    uint64        // bytes of RSS
	Bytes   uint64        // that all streams received
	Watched int           // changes that a stream in step saw meanwhile
	Worst   time.Duration // until it saw one of them
	Median  time.Duration

	time, cpu, seen []time.Duration
	peak            []uint64
}

// stormPace is how often a site changes during a storm.
const stormPace = 100 * time.Millisecond

func (b *bench) storms(ctx context.Context) error {
	const n = 10_000
	var storms []*storm
	for _, streams := range []int{100, 1_000} {
		kinds := []server.Kind{server.Ours, server.Floor}
		if streams == 100 {
			kinds = append(kinds, server.Linear, server.Tuned)
		}
		if b.short && streams > 100 {
			break
		}
		for _, busy := range []bool{false, true} {
			s, err := b.stormKinds(ctx, kinds, n, streams, busy)
			if err != nil {
				return err
			}
			storms = append(storms, s...)
			kinds = kinds[:2]
		}
	}
	b.reportStorms(storms)
	return nil
}

// stormKinds lets storms break over servers in turns.
func (b *bench) stormKinds(ctx context.Context, kinds []server.Kind, n, streams int, busy bool) ([]*storm, error) {
	b.say("a storm: %s sites, %s streams, changes meanwhile: %t", report.Count(n), report.Count(streams), busy)
	var storms []*storm
	var servers []*process
	for _, kind := range kinds {
		p, err := b.start(ctx, server.Spec{Kind: kind, Sites: n})
		if err != nil {
			return nil, err
		}
		defer p.stop()
		servers = append(servers, p)
		storms = append(storms, &storm{Kind: kind, Sites: n, Streams: streams, Busy: busy})
	}
	rounds := 3
	if streams > 100 {
		rounds = 2
	}
	for round := range b.rounds(rounds) {
		for i, p := range servers {
			if err := b.storm(ctx, p, storms[i], round); err != nil {
				return nil, fmt.Errorf("a storm of %d streams over %s: %w", streams, p.spec.Kind, err)
			}
		}
	}
	for _, s := range storms {
		s.Time, s.CPU, s.Peak = median(s.time), median(s.cpu), medianBytes(s.peak)
		s.Watched, s.Worst, s.Median = len(s.seen), percentile(s.seen, 100), median(s.seen)
	}
	return storms, nil
}

// storm is one storm over one server.
func (b *bench) storm(ctx context.Context, p *process, s *storm, round int) error {
	var inStep *watcher
	if s.Busy {
		var err error
		if inStep, err = b.startWatcher(ctx, p); err != nil {
			return err
		}
		defer inStep.stop()
	}
	if err := p.collect(); err != nil {
		return err
	}
	before, err := p.settled(ctx)
	if err != nil {
		return err
	}
	if err := forgetPeak(p.proc.Pid()); err != nil {
		return err
	}
	profiled := b.profiles != "" && round == 0
	if profiled {
		if err := p.startProfile(b.profileFile(fmt.Sprintf("storm-%s-%d-busy-%t.cpu", s.Kind, s.Streams, s.Busy))); err != nil {
			return err
		}
	}
	over, changes := context.WithCancel(ctx)
	defer changes()
	watched := make(chan error, 1)
	if s.Busy {
		go func() { watched <- b.watch(over, p, inStep, s) }()
	}
	fleet := load.NewFleet(ctx, p.address, p.wants, false)
	defer fleet.Close()
	start := load.Now()
	if err := fleet.Connect(ctx, s.Streams); err != nil {
		return err
	}
	s.time = append(s.time, time.Duration(fleet.Completed()-start))
	s.Bytes = uint64(fleet.Bytes())
	changes()
	if s.Busy {
		if err := <-watched; err != nil {
			return err
		}
	}
	after, err := p.settled(ctx)
	if err != nil {
		return err
	}
	if profiled {
		if err := p.stopProfile(); err != nil {
			return err
		}
	}
	peak, err := memory(p.proc.Pid(), "VmHWM")
	if err != nil {
		return err
	}
	s.cpu = append(s.cpu, after.CPU-before.CPU)
	s.peak = append(s.peak, peak)
	return nil
}

// watch replaces pods at a steady pace until ctx ends, and notes how long a
// stream that is in step took to see each.
func (b *bench) watch(ctx context.Context, p *process, w *watcher, s *storm) error {
	first := p.next[server.Move]
	var at []int64
	for ctx.Err() == nil {
		once, err := p.run(server.Move, 5, stormPace)
		if err != nil {
			return err
		}
		at = append(at, once...)
		time.Sleep(stormPace)
	}
	time.Sleep(time.Second) // far longer than the worst that is acceptable
	arrivals, err := w.stop()
	if err != nil {
		return err
	}
	seen, missed := latencies(at, arrivals, func(k int) string {
		if s.Kind == server.Floor {
			k %= server.Moves // it knows no others
		}
		return sites.MoveMarker(k)
	}, first)
	// The floor knows only the newest change, and may leave others out.
	if missed > 0 && s.Kind != server.Floor {
		return fmt.Errorf("%d of %d changes did not reach the stream that was in step", missed, len(at))
	}
	s.seen = append(s.seen, seen...)
	return nil
}

// latencies returns how long after each change its marker arrived, and how many
// never did. The number of the first change is first.
func latencies(at []int64, arrivals []load.Arrival, marker func(k int) string, first int) (seen []time.Duration, missed int) {
	from := 0 // arrivals before are older than the change
	for k, t := range at {
		for from < len(arrivals) && arrivals[from].At < t {
			from++
		}
		text, found := []byte(marker(first+k)), false
		for _, a := range arrivals[from:] {
			if bytes.Contains(a.Text, text) {
				seen, found = append(seen, time.Duration(a.At-t)), true
				break
			}
		}
		if !found {
			missed++
		}
	}
	return seen, missed
}

func (b *bench) reportStorms(storms []*storm) {
	t := report.Table{
		Title: "A storm: all streams connect at once and get everything",
		Note: "Memory is the peak of RSS. In the rows with changes a pod is replaced every 100 ms meanwhile; " +
			"the last two columns are how long a stream that was in step before took to see it",
		Columns: []string{"sites", "streams", "changes", "server", "time", "CPU", "peak memory", "received", "time / floor", "CPU / floor", "peak / floor", "median seen", "worst seen"},
	}
	floorOf := func(s *storm) *storm {
		for _, f := range storms {
			if f.Kind == server.Floor && f.Streams == s.Streams && f.Busy == s.Busy {
				return f
			}
		}
		return s
	}
	for _, s := range storms {
		f, busy, middle, worst := floorOf(s), "no", "", ""
		if s.Busy {
			busy, middle, worst = "yes", report.Time(s.Median), report.Time(s.Worst)
		}
		t.Rows = append(t.Rows, []string{
			report.Count(s.Sites), report.Count(s.Streams), busy, names[s.Kind], report.Time(s.Time), report.Time(s.CPU),
			report.Bytes(s.Peak), report.Bytes(s.Bytes), report.Ratio(s.Time, f.Time), report.Ratio(s.CPU, f.CPU), report.Ratio(s.Peak, f.Peak), middle, worst,
		})
		if s.Kind != server.Ours {
			continue
		}
		work := fmt.Sprintf("storm, 10k x %d", s.Streams)
		if s.Busy {
			b.out.Reach(work, "a stream in step sees its changes within", s.Worst.Seconds()*1e3, 250, false, " ms")
			continue
		}
		b.out.Reach(work, "time / floor", ratio(s.Time, f.Time), 1.5, false, "x")
		b.out.Reach(work, "CPU / floor", ratio(s.CPU, f.CPU), 1.5, false, "x")
		b.out.Reach(work, "peak memory / floor", ratio(s.Peak, f.Peak), 1.5, false, "x")
	}
	b.out.Tables = append(b.out.Tables, t)
	b.out.Data["storms"] = storms
}
