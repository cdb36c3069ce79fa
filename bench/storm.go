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
	Missing string `json:",omitempty"` // why it was not measured

	time, cpu, seen []time.Duration
	peak            []uint64
}

// stormPace is how often a site changes during a storm.
const stormPace = 100 * time.Millisecond

func (b *bench) storms(ctx context.Context) {
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
			storms = append(storms, b.stormKinds(ctx, kinds, n, streams, busy)...)
			kinds = kinds[:2]
		}
	}
	b.reportStorms(storms)
}

// stormKinds lets storms break over servers in turns.
func (b *bench) stormKinds(ctx context.Context, kinds []server.Kind, n, streams int, busy bool) []*storm {
	what := fmt.Sprintf("%s sites, %s streams, changes meanwhile: %t", report.Count(n), report.Count(streams), busy)
	b.say("a storm: %s", what)
	var storms []*storm
	var servers []*contender
	for _, kind := range kinds {
		c := b.contend(ctx, server.Spec{Kind: kind, Sites: n}, false)
		defer c.close()
		servers = append(servers, c)
		storms = append(storms, &storm{Kind: kind, Sites: n, Streams: streams, Busy: busy})
	}
	rounds := 3
	if streams > 100 {
		rounds = 2
	}
	for round := range b.rounds(rounds) {
		for i, c := range servers {
			c.try(func() error { return b.storm(ctx, c.process, storms[i], round) })
		}
	}
	for i, s := range storms {
		if s.Missing = b.why(servers[i].attempt, "storm", names[s.Kind]+", "+what); s.Missing != "" {
			continue
		}
		s.Time, s.CPU, s.Peak = median(s.time), median(s.cpu), medianBytes(s.peak)
		s.Watched, s.Worst, s.Median = len(s.seen), percentile(s.seen, 100), median(s.seen)
	}
	return storms
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
		go func() { watched <- b.watch(ctx, over, p, inStep, s) }()
	}
	fleet := load.NewFleet(ctx, p.address, p.wants, false)
	defer fleet.Close()
	start := load.Now()
	connecting, cancel := bounded(ctx, hung, "not everything was sent")
	defer cancel()
	if err := fleet.Connect(connecting, s.Streams); err != nil {
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

// watch replaces pods at a steady pace until the storm is over, and notes how long
// a stream that is in step took to see each.
func (b *bench) watch(ctx, storm context.Context, p *process, w *watcher, s *storm) error {
	first := p.next[server.Move]
	var at []int64
	for storm.Err() == nil {
		once, err := p.run(ctx, server.Move, 5, stormPace)
		if err != nil {
			return err
		}
		at = append(at, once...)
		time.Sleep(stormPace)
	}
	marker := sites.MoveMarker
	patience := hung
	if s.Kind == server.Floor {
		marker = func(k int) string { return sites.MoveMarker(k % server.Moves) } // it knows no others
		patience = time.Second                                                    // and may leave out all but the newest
	}
	seen, missed, err := await(ctx, patience, func() (seen []time.Duration, missed int, err error) {
		arrivals, err := w.seen()
		if err == nil {
			seen, missed = latencies(at, arrivals, marker, first)
		}
		return seen, missed, err
	})
	if err == nil && missed > 0 && s.Kind != server.Floor {
		err = fmt.Errorf("%d of %d changes did not reach the stream that was in step within %v", missed, len(at), patience)
	}
	s.seen = append(s.seen, seen...)
	return err
}

// await looks at what has arrived until nothing is missed, for at most patience.
func await(ctx context.Context, patience time.Duration, look func() ([]time.Duration, int, error)) (seen []time.Duration, missed int, err error) {
	for end := time.Now().Add(patience); ; {
		seen, missed, err = look()
		if err != nil || missed == 0 || time.Now().After(end) {
			return seen, missed, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, missed, context.Cause(ctx)
		}
	}
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
		t.Add([]string{report.Count(s.Sites), report.Count(s.Streams), busy, names[s.Kind]}, s.Missing, report.Time(s.Time), report.Time(s.CPU),
			report.Bytes(s.Peak), report.Bytes(s.Bytes), report.Ratio(s.Time, f.Time), report.Ratio(s.CPU, f.CPU), report.Ratio(s.Peak, f.Peak), middle, worst)
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
