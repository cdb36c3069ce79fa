package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/server"
)

// The servers that are measured are this binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		main()
	}
	os.Exit(m.Run())
}

func newBench(t *testing.T) *bench {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &bench{
		owner: t, binary: binary, ready: make(map[server.Spec]prepared), short: true, plots: make(map[string]report.Plot),
		out: report.Report{Begun: time.Now(), Data: make(map[string]any)},
	}
}

// A server that does not start, and one that dies, are told in their rows; the
// others are measured.
func TestWhatFailsIsToldInItsRow(t *testing.T) {
	b, ctx := newBench(t), t.Context()
	var all []*contender
	for _, kind := range []server.Kind{server.Ours, "nonsense", server.Floor} {
		all = append(all, b.contend(ctx, server.Spec{Kind: kind, Sites: 1_000}, false))
		t.Cleanup(all[len(all)-1].close)
	}
	cells := b.fanoutStreams(ctx, all, 2)
	all[2].proc.Kill()
	cells = append(cells, b.fanoutStreams(ctx, all, 3)...)
	b.reportFanout(cells)
	b.reportMemory(cells)

	for i, measured := range []bool{true, false, true, true, false, false} {
		c := cells[i]
		if (c.Missing == "") != measured || (c.P50 > 0) != measured || (c.Memory.RSS > 0) != measured {
			t.Errorf("%v: want measured: %t", c, measured)
		}
	}
	if n := len(b.out.Missing); n != 3 {
		t.Errorf("%d rows are noted as missing, want 3", n)
	}
	text := b.out.Text()
	for _, want := range []string{"1,000        3  ours ", "1,000        3  floor   not measured: ", "1,000 sites, 3 streams: nonsense-1000 ended before it was ready"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q:\n%s", want, text)
		}
	}
}

// A row that is missing keeps no other row from being measured, and the exit code
// from saying that all is well.
func TestTheExitCodeSaysWhatIsMissing(t *testing.T) {
	defer func(old []work) { works = old }(works)
	row := func(name string, failed error) work {
		return work{name, func(b *bench, _ context.Context) {
			table := report.Table{Title: name, Columns: []string{"sites", "time", "CPU"}}
			table.Add([]string{"5"}, b.why(attempt{failed}, name, "5 sites"), "1 ms", "2 ms")
			b.out.Tables = append(b.out.Tables, table)
		}}
	}
	out := t.TempDir()
	run := func(first error) (string, error) {
		works = []work{row("first", first), row("second", nil)}
		failed := measure(t.Context(), []string{"-out=" + out})
		text, err := os.ReadFile(filepath.Join(out, "results.txt"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text), failed
	}
	if text, err := run(nil); err != nil || strings.Contains(text, "ot measured") {
		t.Errorf("all was measured, and it says %v:\n%s", err, text)
	}
	text, err := run(errors.New("it did not come to rest\nits last lines: ..."))
	if err == nil || code(err) != 1 || !strings.Contains(text, "  5      not measured: it did not come to rest ...\n") || !strings.Contains(text, "  5      1 ms  2 ms\n") {
		t.Errorf("one row was not measured, and it says %v:\n%s", err, text)
	}
}

// Whoever ends the program does not wait for the changes that are being made.
func TestChurnEndsWhenItIsInterrupted(t *testing.T) {
	b := newBench(t)
	ctx, interrupt := context.WithCancel(t.Context())
	c := b.contend(ctx, server.Spec{Kind: server.Ours, Sites: 1_000}, true)
	defer c.close()
	c.try(func() error { return c.connect(ctx, 1) })
	if c.failed != nil {
		t.Fatal(c.failed)
	}
	ended := make(chan error, 1)
	go func() { ended <- b.churnFor(ctx, c, &churnResult{Rate: 100, For: time.Hour}) }()
	if err := c.fleet.AwaitArrivals(ctx, 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	interrupt()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(time.Minute): // of an hour
		t.Error("it goes on")
	}
}

// How long the program may write statuses follows from how fast the API server
// takes writes.
func TestPatienceFollowsTheAPIServer(t *testing.T) {
	quick, slow := &objects{took: time.Minute}, &objects{took: 10 * time.Minute}
	if got := slow.patience() - quick.patience(); got != writers*9*time.Minute {
		t.Errorf("%v more patience with an API server that took 9 minutes more", got)
	}
}

// Who does not come to rest is waited for no longer than that.
func TestWhoDoesNotComeToRest(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
		}
	}()
	err := quiet(ctx, os.Getpid(), 2*time.Second)
	stop()
	if err == nil || !strings.Contains(err.Error(), "did not come to rest within 2s") {
		t.Errorf("%v", err)
	}
	if err := quiet(t.Context(), os.Getpid(), time.Minute); err != nil {
		t.Error(err)
	}
}
