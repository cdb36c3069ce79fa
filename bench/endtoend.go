package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/sites"
	"my-company.com/staticsite-operator/translate"
)

// This file measures the whole way, with a real API server, the real program and
// a real Envoy.

// endToEnd is one layout with one number of sites.
type endToEnd struct {
	Sites    int
	Routes   string
	Changes  int
	P50, P99 time.Duration // from the API write to the first response that shows it
	Written  time.Duration // p50 of the part until the API server had answered
	Server   time.Duration // CPU of the program, a change
	Envoy    time.Duration // CPU of Envoy, a change, requests included
	Missing  string        `json:",omitempty"` // why it was not measured
}

func (b *bench) realParts(ctx context.Context) {
	const port = 8080
	var o *objects
	var r realResults
	r.try(func() error { return b.startPods(port) })
	r.try(func() (err error) {
		b.say("end to end: starting an API server")
		o, err = b.newObjects(ctx, sites.Set{Addresses: podAddresses, Port: port})
		return err
	})
	sizes, changes := []int{1_000, 10_000}, 60
	if b.short {
		sizes, changes = sizes[:1], 20
	}
	for _, n := range sizes {
		r.try(func() error {
			b.say("end to end: writing %s sites", report.Count(n))
			return o.grow(ctx, n)
		})
		b.realSites(ctx, o, n, changes, &r)
	}
	b.reportEndToEnd(r.changes)
	b.reportColdStarts(r.starts)
}

// realResults is what was measured with real parts, as long as these work.
type realResults struct {
	attempt
	changes []endToEnd
	starts  []coldStart
}

// realSites measures both layouts, and the start of the default one, with n sites,
// which exist.
func (b *bench) realSites(ctx context.Context, o *objects, n, changes int, r *realResults) {
	for _, run := range []struct {
		routes      translate.RouteLayout
		cold, first bool // measure the start; no site has a status yet
		changes     int
	}{
		{translate.RoutesScoped, true, true, changes},
		{translate.RoutesSingle, false, false, changes},
		{translate.RoutesScoped, true, false, 0},
	} {
		what := fmt.Sprintf("%s sites, layout %s", report.Count(n), run.routes)
		b.say("end to end: %s", what)
		started := r.attempt
		var e edge
		started.try(func() error { return b.startEdge(ctx, o.kubeconfig, string(run.routes), &e) })
		if run.cold {
			a, start := started, coldStart{Sites: n, First: run.first}
			a.try(func() error { return b.coldStart(ctx, &e, o, &start) })
			start.Missing = b.why(a, "cold start", what)
			r.starts = append(r.starts, start)
		}
		if run.changes > 0 {
			a, one := started, endToEnd{Sites: n, Routes: string(run.routes), Changes: run.changes}
			a.try(func() error { return b.endToEnd(ctx, &e, o, &one) })
			one.Missing = b.why(a, "end to end", what)
			r.changes = append(r.changes, one)
		}
		e.stop()
	}
}

// endToEnd changes sites one after the other.
func (b *bench) endToEnd(ctx context.Context, e *edge, o *objects, r *endToEnd) error {
	a, err := e.asker(ctx)
	if err != nil {
		return err
	}
	defer a.conn.Close()
	if _, err := a.serves(ctx, sites.Domain(r.Sites-1)); err != nil {
		return err
	}
	operatorPid, envoyPid := e.operator.Process().Pid(), e.envoy.Process().Pid()
	if err := quiet(ctx, operatorPid, o.patience()); err != nil {
		return err
	}
	operatorCPU, err := cpuTime(operatorPid)
	if err != nil {
		return err
	}
	envoyCPU, err := cpuTime(envoyPid)
	if err != nil {
		return err
	}
	var seen, written []time.Duration
	for range r.Changes {
		s, w, err := o.timeTurn(ctx, a)
		if err != nil {
			return err
		}
		seen, written = append(seen, s), append(written, w)
		time.Sleep(30 * time.Millisecond) // for what follows a change: acknowledgement and status
	}
	r.P50, r.P99, r.Written = median(seen), percentile(seen, 99), median(written)
	if now, err := cpuTime(operatorPid); err == nil {
		r.Server = (now - operatorCPU) / time.Duration(r.Changes)
	}
	if now, err := cpuTime(envoyPid); err == nil {
		r.Envoy = (now - envoyCPU) / time.Duration(r.Changes)
	}
	return nil
}

// timeTurn lets the next site turn to its other Service, and returns how long that
// took to be seen, and to be written. Nobody asks before it is written: on few cores
// that would slow down the write, and the answer can only look later for it.
func (o *objects) timeTurn(ctx context.Context, a *asker) (seen, written time.Duration, err error) {
	ctx, cancel := bounded(ctx, hung, "a change was not seen")
	defer cancel()
	site := o.set.Turn(o.turns)
	o.turns++
	pod := o.set.Address(o.set.TurnsTo(o.turns - 1))
	start := time.Duration(load.Now())
	if err := o.turn(ctx, site); err != nil {
		return 0, 0, err
	}
	written = time.Duration(load.Now()) - start
	at, err := a.until(ctx, site.Domain, pod)
	return at - start, written, err
}

// notHere explains the figures of peers, which were measured once on a machine of
// this size and are written down here: measuring them takes a cluster each.
const notHere = "* Known elsewhere on this size of machine, not measured in this run"

func (b *bench) reportEndToEnd(all []endToEnd) {
	t := report.Table{
		Title: "End to end: an API write to the first response of a real Envoy that shows it",
		Note: "A real API server, the real program, Envoy 1.40 with one worker and a cluster for each site; all on the same cores. " +
			"The write itself is part of the time, and asking begins when it is answered. Envoy's CPU has the requests that look for the change in it. " + notHere,
		Columns: []string{"sites", "layout", "changes", "time p50", "p99", "of it the write, p50", "CPU of the program", "CPU of Envoy"},
	}
	want := map[int]float64{1_000: 8, 10_000: 20}
	for _, e := range all {
		t.Add([]string{report.Count(e.Sites), e.Routes, strconv.Itoa(e.Changes)}, e.Missing,
			report.Time(e.P50), report.Time(e.P99), report.Time(e.Written), report.Time(e.Server), report.Time(e.Envoy))
		if e.Routes == string(translate.RoutesScoped) {
			b.out.Reach("end to end", "p50 with "+report.Count(e.Sites)+" sites", e.P50.Seconds()*1e3, want[e.Sites], false, " ms")
		}
	}
	elsewhere := func(sites, what, time string) []string {
		return []string{sites, what + " *", "", time, "", "", "", ""}
	}
	t.Rows = append(t.Rows,
		elsewhere("1,000", "Envoy Gateway 1.9.1", "199 ms"), elsewhere("1,000", "Contour 1.33.8", "195 ms"), elsewhere("1,000", "nginx reload", "162 ms"),
		elsewhere("10,000", "Envoy Gateway 1.9.1", "7,024 ms"), elsewhere("10,000", "Contour 1.33.8", "908 ms"), elsewhere("10,000", "nginx reload", "4,752 ms"))
	b.out.Tables = append(b.out.Tables, t)
	b.out.Data["endtoend"] = all
}
