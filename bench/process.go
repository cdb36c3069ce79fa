package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/bench/server"
	"my-company.com/staticsite-operator/e2e/proc"
)

// process is a server that runs and is measured.
type process struct {
	spec    server.Spec
	address string
	wants   *load.Wants
	proc    *proc.Process
	control *rpc.Client
	next    map[server.Change]int // the numbers of the next changes
}

// start starts a server and waits until it has everything ready.
func (b *bench) start(ctx context.Context, spec server.Spec) (*process, error) {
	p := &process{spec: spec, next: make(map[server.Change]int)}
	args := append([]string{"serve"}, specArgs(spec)...)
	if spec.Kind == server.Floor {
		ready, err := b.prepared(ctx, spec)
		if err != nil {
			return nil, err
		}
		args = append(args, "-prepared="+ready.file)
	}
	var err error
	if p.address, err = proc.FreeAddress("127.0.0.1"); err != nil {
		return nil, err
	}
	control, err := proc.FreeAddress("127.0.0.1")
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, hung, "it did not start")
	defer cancel()
	p.proc, err = proc.Start(ctx, b.owner, proc.Spec{
		Name: string(spec.Kind) + "-" + strconv.Itoa(spec.Sites),
		Path: b.binary,
		Args: append(args, "-address="+p.address, "-control="+control),
		Ready: func(context.Context) (err error) {
			p.control, err = rpc.Dial("tcp", control)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	p.wants = load.Subscribe(spec.Configuration())
	return p, nil
}

// stop ends the server.
func (p *process) stop() {
	p.control.Close()
	p.proc.Stop()
}

// run makes n changes, one each period, and returns when each was made.
func (p *process) run(ctx context.Context, c server.Change, n int, every time.Duration) ([]int64, error) {
	first := p.next[c]
	p.next[c] += n
	return p.runFrom(ctx, c, first, n, every)
}

// runFrom returns when all changes are made or ctx ends: then the server is of no
// use any more, for it goes on.
func (p *process) runFrom(ctx context.Context, c server.Change, first, n int, every time.Duration) ([]int64, error) {
	at := new([]int64)
	call := p.control.Go("Control.Run", server.Changes{Change: c, First: first, N: n, Every: every}, at, nil)
	select {
	case <-call.Done:
		return *at, call.Error
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (p *process) usage() (u server.Usage, err error) {
	return u, p.control.Call("Control.Use", server.None{}, &u)
}

func (p *process) collect() error {
	return p.control.Call("Control.Collect", server.None{}, &server.None{})
}

// settled waits until the server does nothing any more, and returns its usage.
func (p *process) settled(ctx context.Context) (server.Usage, error) {
	ctx, cancel := bounded(ctx, hung, "the server did not come to rest")
	defer cancel()
	before, err := p.usage()
	for quiet := 0; err == nil && quiet < 2; {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return before, context.Cause(ctx)
		}
		var now server.Usage
		now, err = p.usage()
		quiet++
		if now.CPU-before.CPU > time.Millisecond {
			quiet = 0
		}
		before = now
	}
	return before, err
}

// cpuTime returns what a process has used so far, to 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name may have spaces; it ends at the last parenthesis.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const user, system, tick = 11, 12, 10 * time.Millisecond
	var ticks int64
	for _, f := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the time of process %d: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// memory returns a line of /proc/PID/status in bytes: VmRSS, RssAnon, VmHWM.
func memory(pid int, line string) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(l, line+":"); found {
			kb, err := strconv.ParseUint(strings.Fields(value)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no %s in the status of process %d", line, pid)
}

// forgetPeak makes VmHWM count from now on.
func forgetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// prepared is what the floor sends.
type prepared struct {
	file string
	size int // bytes of one encoded copy of the configuration
}

// prepared returns what the floor of a spec sends, made in a process of its own.
func (b *bench) prepared(ctx context.Context, spec server.Spec) (prepared, error) {
	if ready, found := b.ready[spec]; found {
		return ready, nil
	}
	ready := prepared{file: filepath.Join(b.owner.ArtifactDir(), fmt.Sprintf("prepared-%d", len(b.ready)))}
	out, err := exec.CommandContext(ctx, b.binary, append([]string{"prepare", "-file=" + ready.file}, specArgs(spec)...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	if err == nil {
		ready.size, err = strconv.Atoi(strings.TrimSpace(string(out)))
	}
	if err != nil {
		return ready, fmt.Errorf("prepare the floor: %w", err)
	}
	b.ready[spec] = ready
	return ready, nil
}
