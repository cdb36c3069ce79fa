package main

import (
	"fmt"

	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/server"
)

// about is the beginning of a cell's row.
func (c cell) about() []string {
	return []string{report.Count(c.Sites), report.Count(c.Streams), names[c.Kind]}
}

// find returns the cell of a server, zero if there is none in this run.
func find(cells []cell, kind server.Kind, sites, streams int) cell {
	for _, c := range cells {
		if c.Kind == kind && c.Sites == sites && c.Streams == streams {
			return c
		}
	}
	return cell{}
}

func (b *bench) reportFanout(cells []cell) {
	t := report.Table{
		Title:   "One site's change to all streams",
		Note:    "Layout scoped, delta; a route that leads to another Service. Time is from the change to the last stream that has it; CPU is the server's, a change",
		Columns: []string{"sites", "streams", "server", "time p50", "p99", "CPU", "bytes a stream", "time / floor", "CPU / floor", "CPU / ours"},
	}
	for _, c := range cells {
		floor, ours := find(cells, server.Floor, c.Sites, c.Streams), find(cells, server.Ours, c.Sites, c.Streams)
		t.Add(c.about(), c.Missing, report.Time(c.P50), report.Time(c.P99), report.Time(c.CPU),
			report.Bytes(uint64(c.Bytes)), report.Ratio(c.P50, floor.P50), report.Ratio(c.CPU, floor.CPU), report.Ratio(c.CPU, ours.CPU))
	}
	b.out.Tables = append(b.out.Tables, t)
	b.out.Data["fanout"] = cells

	const work = "one change"
	at := func(kind server.Kind, sites, streams int) cell { return find(cells, kind, sites, streams) }
	if ours, floor := at(server.Ours, 10_000, 100), at(server.Floor, 10_000, 100); ours.Sites > 0 {
		b.out.Reach(work, "CPU / floor, 10k x 100", ratio(ours.CPU, floor.CPU), 1.5, false, "x")
		b.out.Reach(work, "time / floor, 10k x 100", ratio(ours.P50, floor.P50), 1.5, false, "x")
	}
	for _, streams := range []int{10, 100} {
		ours := at(server.Ours, 10_000, streams)
		for _, kind := range []server.Kind{server.Snapshot, server.Tuned} {
			if peer := at(kind, 10_000, streams); peer.Sites > 0 {
				b.out.Reach(work, fmt.Sprintf("CPU of %s / ours, 10k x %d", names[kind], streams), ratio(peer.CPU, ours.CPU), 50, true, "x")
			}
		}
	}
	if large, small := at(server.Ours, 100_000, 10), at(server.Ours, 1_000, 10); large.Sites > 0 {
		b.out.Reach(work, "CPU 100k / 1k sites, 10 streams", ratio(large.CPU, small.CPU), 2, false, "x")
		b.out.Reach(work, "time 100k / 1k sites, 10 streams", ratio(large.P50, small.P50), 2, false, "x")
	}
	b.plotFanout(cells)
}

// names is how the tables call the servers.
var names = map[server.Kind]string{
	server.Ours: "ours", server.Floor: "floor", server.Linear: "LinearCaches",
	server.Snapshot: "SnapshotCache", server.Tuned: "SnapshotCache, tuned",
}

// plotted is the order of lines and their colours.
var plotted = []server.Kind{server.Ours, server.Floor, server.Linear, server.Tuned, server.Snapshot}

func (b *bench) plotFanout(cells []cell) {
	bySites := report.Plot{Title: "Server CPU of one change, 10 streams", X: "sites", Y: "milliseconds"}
	byStreams := report.Plot{Title: "Server CPU of one change, 10,000 sites", X: "streams", Y: "milliseconds"}
	for _, kind := range plotted {
		sites, streams := report.Line{Name: names[kind]}, report.Line{Name: names[kind]}
		for _, c := range cells {
			if c.Missing != "" {
				continue
			}
			point := [2]float64{float64(c.Sites), c.CPU.Seconds() * 1e3}
			if c.Kind == kind && c.Streams == 10 {
				sites.Points = append(sites.Points, point)
			}
			if c.Kind == kind && c.Sites == 10_000 {
				point[0] = float64(c.Streams)
				streams.Points = append(streams.Points, point)
			}
		}
		bySites.Lines = append(bySites.Lines, sites)
		byStreams.Lines = append(byStreams.Lines, streams)
	}
	b.plots["performance-sites.svg"] = bySites
	b.plots["performance-streams.svg"] = byStreams
}

func (b *bench) reportMemory(cells []cell) {
	t := report.Table{
		Title: "Memory of the server in step",
		Note: "After all garbage was collected and given back. The floor holds one encoded copy of the configuration and its streams, " +
			"nothing else; anonymous memory is without the binary's own pages",
		Columns: []string{"sites", "streams", "server", "RSS", "anonymous", "heap", "stacks", "RSS / floor", "anonymous / floor"},
	}
	for _, c := range cells {
		floor := find(cells, server.Floor, c.Sites, c.Streams)
		t.Add(c.about(), c.Missing, report.Bytes(c.Memory.RSS), report.Bytes(c.Memory.Anon),
			report.Bytes(c.Memory.Heap), report.Bytes(c.Memory.Stacks),
			report.Ratio(c.Memory.RSS, floor.Memory.RSS), report.Ratio(c.Memory.Anon, floor.Memory.Anon))
		if c.Kind == server.Ours && c.Sites == 10_000 && c.Streams >= 100 {
			b.out.Reach("memory", fmt.Sprintf("RSS / floor, 10k x %d", c.Streams), ratio(c.Memory.RSS, floor.Memory.RSS), 1.5, false, "x")
		}
	}
	b.out.Tables = append(b.out.Tables, t)
}

func (b *bench) reportSotw(cells []cell) {
	t := report.Table{
		Title:   "State of the world, one table for all routes",
		Note:    "The first design's form: each change sends the whole table",
		Columns: []string{"sites", "streams", "server", "time p50", "p99", "CPU", "bytes a stream", "CPU / floor", "CPU / ours"},
	}
	for _, c := range cells {
		floor, ours := find(cells, server.Floor, c.Sites, c.Streams), find(cells, server.Ours, c.Sites, c.Streams)
		t.Add(c.about(), c.Missing, report.Time(c.P50), report.Time(c.P99), report.Time(c.CPU),
			report.Bytes(uint64(c.Bytes)), report.Ratio(c.CPU, floor.CPU), report.Ratio(c.CPU, ours.CPU))
		if c.Kind == server.Tuned || c.Kind == server.Snapshot {
			b.out.Reach("state of the world", fmt.Sprintf("CPU / %s, %s sites", names[c.Kind], report.Count(c.Sites)),
				ratio(ours.CPU, c.CPU), 0.5, false, "x")
		}
	}
	b.out.Tables = append(b.out.Tables, t)
	b.out.Data["sotw"] = cells
}
