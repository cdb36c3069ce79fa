package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"my-company.com/staticsite-operator/bench/report"
	"my-company.com/staticsite-operator/bench/server"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/proc"
)

// bench is one run.
type bench struct {
	owner  proc.Owner
	binary string                   // this program, which is the servers too
	ready  map[server.Spec]prepared // for the floors
	short  bool

	profiles string // a folder, empty: none
	out      report.Report
	plots    map[string]report.Plot // by file name
}

// work is one row of work.
type work struct {
	name string
	do   func(*bench, context.Context)
}

// works is everything that is measured, in order.
var works = []work{
	{"fanout", (*bench).fanout},
	{"storm", (*bench).storms},
	{"sotw", (*bench).sotw},
	{"publish", (*bench).publish},
	{"churn", (*bench).churn},
	{"endtoend", (*bench).realParts},
}

// limit bounds one row of work; on two quiet cores the longest takes four minutes.
const limit = 30 * time.Minute

// podAddresses are where backends listen: not on loopback, which the Kubernetes API
// refuses.
var podAddresses = []string{netns.Addr(1), netns.Addr(2)}

// measure measures, in a network namespace of its own.
func measure(ctx context.Context, args []string) (err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	short := f.Bool("short", false, "fewer sizes and rounds: two minutes")
	only := f.String("only", "", "measure only these, separated by commas: "+workNames())
	out := f.String("out", "out", "the folder for results.txt, results.json and the plots")
	docs := f.String("docs", "", "a folder whose performance.md and plots are brought up to date")
	profiles := f.String("cpuprofile", "", "a folder for CPU and heap profiles of our server and of the floor")
	if err := f.Parse(args); err != nil {
		return err
	}
	b := &bench{
		ready: make(map[server.Spec]prepared), short: *short, plots: make(map[string]report.Plot),
		out: report.Report{Machine: machine(), Begun: time.Now(), Short: *short, Data: make(map[string]any)},
	}
	if b.binary, err = os.Executable(); err != nil {
		return err
	}
	if b.profiles, err = makeFolder(*profiles); err != nil {
		return err
	}
	program, err := proc.NewProgram("bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.End()) }()
	b.owner = program
	for _, w := range works {
		if ctx.Err() == nil && (*only == "" || slices.Contains(strings.Split(*only, ","), w.name)) {
			b.work(ctx, w)
		}
	}
	b.out.Took = time.Since(b.out.Begun)
	fmt.Print(b.out.Text())
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if len(b.out.Missing) > 0 {
		return errors.Join(b.write(*out, ""), fmt.Errorf("not measured: %d (see above)", len(b.out.Missing)))
	}
	return b.write(*out, *docs)
}

// work does one row of work.
func (b *bench) work(ctx context.Context, w work) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s took more than %v", w.name, limit))
	defer cancel()
	w.do(b, ctx)
}

func workNames() string {
	var names []string
	for _, w := range works {
		names = append(names, w.name)
	}
	return strings.Join(names, ", ")
}

// makeFolder makes a folder if it is named, and returns its absolute path.
func makeFolder(dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// write writes the results, and what of them belongs into the documentation.
func (b *bench) write(out, docs string) error {
	out, err := makeFolder(out)
	if err != nil {
		return err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(out, "results.txt"), []byte(b.out.Text()), 0o644),
		b.out.WriteJSON(filepath.Join(out, "results.json")))
	for _, dir := range []string{out, docs} {
		for name, plot := range b.plots {
			if dir != "" {
				err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(plot.SVG()), 0o644))
			}
		}
	}
	if docs != "" {
		err = errors.Join(err, b.out.Update(filepath.Join(docs, "performance.md")))
	}
	return err
}

// rounds is how often something is repeated.
func (b *bench) rounds(n int) int {
	if b.short {
		return 1
	}
	return n
}

// say tells a person what is going on.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(b.out.Begun).Seconds(), fmt.Sprintf(format, args...))
}
