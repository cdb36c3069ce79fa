package netns

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// MainEach is [Main] for tests that wait more than they compute, and share nothing
// but files that they only read: each test of m runs in a process and a namespace of
// its own, as many at a time as -parallel says. Those that take long are named,
// longest first, and start first. What a test prints comes when it has ended.
//
// Whoever selects tests, or asks for what only one process can give, gets [Main].
func MainEach(m *testing.M, long ...string) {
	flag.Parse()
	if os.Getenv(inside) != "" || !everything() {
		Main(m)
	}
	code, err := runEach(long)
	if err != nil {
		fmt.Fprintln(os.Stderr, "netns: "+err.Error())
		code = max(1, code)
	}
	os.Exit(code)
}

// everything reports whether all tests are to run, and nothing is asked for but that.
func everything() bool {
	plain := []string{"v", "timeout", "count", "parallel", "short", "artifacts", "outputdir", "paniconexit0", "testlogfile"}
	yes := true
	flag.Visit(func(f *flag.Flag) { yes = yes && slices.Contains(plain, strings.TrimPrefix(f.Name, "test.")) })
	return yes
}

// runEach runs all tests and returns the exit code for all of them.
func runEach(long []string) (code int, err error) {
	names, err := list(long)
	if err != nil {
		return 1, err
	}
	e := &each{names: names}
	if timeout := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration); timeout > 0 {
		e.end = time.Now().Add(timeout)
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passedOn...)
	go func() {
		for s := range signals {
			e.signal(s)
		}
	}()
	var group sync.WaitGroup
	for range flag.Lookup("test.parallel").Value.(flag.Getter).Get().(int) {
		group.Go(e.work)
	}
	group.Wait()
	last := "PASS\n"
	if e.code != 0 {
		last = "FAIL\n"
	}
	fmt.Print(mark() + last)
	return e.code, nil
}

// list returns the names of all tests, those that take long first.
func list(long []string) ([]string, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this binary: %w", err)
	}
	out, err := exec.Command(binary, "-test.list=.").Output()
	if err != nil {
		return nil, fmt.Errorf("list the tests: %w", err)
	}
	names := strings.Fields(string(out))
	for _, name := range long {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no test %s, which is to start first", name)
		}
	}
	others := slices.DeleteFunc(names, func(name string) bool { return slices.Contains(long, name) })
	return slices.Concat(long, others), nil
}

// each runs tests side by side.
type each struct {
	end time.Time // of the time for all of them; zero: they may take as long as they like

	mu      sync.Mutex
	names   []string // that have not been started
	running []*exec.Cmd
	code    int
}

// work runs one test after the other until all were started.
func (e *each) work() {
	// The parent-death signal is about this thread, so it must live on.
	runtime.LockOSThread()
	for {
		var out bytes.Buffer
		cmd, err := e.next(&out)
		if cmd == nil && err == nil {
			return
		}
		code := 1
		if err == nil {
			code, err = wait(cmd)
		}
		e.ended(cmd, code, err, out.String())
	}
}

// next starts the next test; it is nil if there is none.
func (e *each) next(out *bytes.Buffer) (*exec.Cmd, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.names) == 0 {
		return nil, nil
	}
	name := e.names[0]
	e.names = e.names[1:]
	args := []string{os.Args[0], "-test.run=^" + regexp.QuoteMeta(name) + "$"}
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "test.timeout" && f.Name != "test.testlogfile" { // of all of them together
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	if !e.end.IsZero() {
		args = append(args, "-test.timeout="+max(time.Until(e.end), time.Millisecond).String())
	}
	cmd, err := start(args, out, out)
	if err == nil {
		e.running = append(e.running, cmd)
	}
	return cmd, err
}

// ended takes how a test ended, and prints what it printed if that is wanted.
func (e *each) ended(cmd *exec.Cmd, code int, err error, out string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running = slices.DeleteFunc(e.running, func(c *exec.Cmd) bool { return c == cmd })
	e.code = max(e.code, code)
	if code != 0 || testing.Verbose() {
		out = strings.TrimSuffix(strings.TrimSuffix(out, mark()+"PASS\n"), mark()+"FAIL\n") // there is one verdict, at the end
		fmt.Print(out)
	}
	if err != nil {
		fmt.Println("netns: " + err.Error())
	}
}

// signal hands on a signal to what runs, and lets nothing start after it.
func (e *each) signal(s os.Signal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.names, e.code = nil, max(1, e.code)
	for _, cmd := range e.running {
		cmd.Process.Signal(s)
	}
}

// mark is what a test binary writes before a line of its own, for `go test -json`.
func mark() string {
	if flag.Lookup("test.v").Value.String() == "test2json" {
		return "\x16"
	}
	return ""
}
