package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/sites"
)

// This file measures how long it takes from nothing to everything.

// coldStart is one start of everything.
type coldStart struct {
	Sites  int
	First  bool          // no site has a status yet
	Ready  time.Duration // of the program, from its start
	Envoy  time.Duration // Envoy's own share: from its start until everything was served
	Served time.Duration // from the program's start until everything was served, without the wait between the two
	RSS    uint64        // of the program once statuses are written, bytes
	Peak   uint64
	Proxy  uint64 // RSS of Envoy

	Missing string `json:",omitempty"` // why it was not measured
}

// coldStart waits until everything is served: a sample of the sites, first and last
// included, by requests, and all of them by Envoy's own count.
func (b *bench) coldStart(ctx context.Context, e *edge, o *objects, c *coldStart) error {
	a, err := e.asker(ctx)
	if err != nil {
		return err
	}
	defer a.conn.Close()
	var served time.Duration
	for i := 0; ; i += c.Sites / 100 {
		i = min(i, c.Sites-1)
		if served, err = a.serves(ctx, sites.Domain(i)); err != nil {
			return err
		}
		if i == c.Sites-1 {
			break
		}
	}
	if err := b.countScopes(ctx, e, c.Sites); err != nil {
		return err
	}
	c.Ready, c.Envoy = e.ready-e.begun, served-e.launched
	c.Served = c.Ready + c.Envoy
	pid := e.operator.Process().Pid()
	if err := quiet(ctx, pid, o.patience()); err != nil { // statuses are being written
		return err
	}
	if c.RSS, err = memory(pid, "VmRSS"); err != nil {
		return err
	}
	if c.Peak, err = memory(pid, "VmHWM"); err != nil {
		return err
	}
	c.Proxy, err = memory(e.envoy.Process().Pid(), "VmRSS")
	return err
}

// countScopes compares Envoy's configuration with what it should be.
func (b *bench) countScopes(ctx context.Context, e *edge, n int) error {
	dump, err := e.envoy.Admin(ctx, "/config_dump?resource=dynamic_scoped_route_configs")
	if err != nil {
		return err
	}
	if got := bytes.Count(dump, []byte("envoy.config.route.v3.ScopedRouteConfiguration\"")); got != n {
		return fmt.Errorf("Envoy has %d scopes, not %d", got, n)
	}
	return nil
}

// quiet waits until a process takes less than 3 % of a core for a second.
func quiet(ctx context.Context, pid int, patience time.Duration) error {
	ctx, cancel := bounded(ctx, patience, fmt.Sprintf("process %d did not come to rest", pid))
	defer cancel()
	before, err := cpuTime(pid)
	for err == nil {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		var now time.Duration
		if now, err = cpuTime(pid); err == nil && now-before < 30*time.Millisecond {
			return nil
		}
		before = now
	}
	return err
}

func (b *bench) reportColdStarts(starts []coldStart) {
	t := report.Table{
		Title: "Cold start: everything is in the API server, nothing runs",
		Note: "The program is started, then, once it is ready, one Envoy. Served is the sum of both shares, and ends when a sample of the sites, " +
			"the last among them, answers and Envoy's configuration has every scope. Memory is taken when all statuses are written. " + notHere,
		Columns: []string{"sites", "statuses", "program ready", "Envoy's share", "served", "RSS of the program", "peak", "RSS of Envoy"},
	}
	for _, c := range starts {
		statuses := "there"
		if c.First {
			statuses = "to be written"
		}
		t.Add([]string{report.Count(c.Sites), statuses}, c.Missing,
			report.Time(c.Ready), report.Time(c.Envoy), report.Time(c.Served), report.Bytes(c.RSS), report.Bytes(c.Peak), report.Bytes(c.Proxy))
		if c.Sites == 10_000 {
			b.out.Reach("cold start", "served within, 10k sites, statuses "+statuses, c.Served.Seconds(), 15, false, " s")
			b.out.Reach("cold start", "our RSS, 10k sites, statuses "+statuses, float64(c.RSS)/1e6, 250, false, " MB")
		}
	}
	elsewhere := func(what, time, memory string) []string {
		return []string{"10,000", what + " *", "", "", time, memory, "", ""}
	}
	t.Rows = append(t.Rows, elsewhere("Contour", "121 s", "3.7 GB"), elsewhere("Envoy Gateway", "13 s", "0.8 GB"))
	b.out.Tables = append(b.out.Tables, t)
	b.out.Data["coldstart"] = starts
}
