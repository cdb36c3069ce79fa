package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"golang.org/x/sys/unix"

	"my-company.com/staticsite-operator/bench/load"
)

// Control is how a server's process is told what to do: net/rpc on loopback. While
// something is measured nothing comes or goes here.
type Control struct {
	target  Target
	profile *os.File
}

// Changes asks for changes of one kind at a steady pace.
type Changes struct {
	Change Change
	First  int // the number of the first
	N      int
	Every  time.Duration
}

// Usage is what the process has used so far.
type Usage struct {
	CPU       time.Duration // user and system
	Heap      uint64        // bytes of live and not yet collected objects
	Stacks    uint64        // bytes
	Allocated uint64        // bytes, ever
}

// None is for what needs nothing said.
type None struct{}

// Run makes changes and returns when it made each, by load.Now. A change that
// takes longer than the pace delays those after it.
func (c *Control) Run(changes Changes, at *[]int64) error {
	next := time.Now()
	for k := range changes.N {
		time.Sleep(time.Until(next))
		next = next.Add(changes.Every)
		*at = append(*at, load.Now())
		if err := c.target.Change(changes.Change, changes.First+k); err != nil {
			return err
		}
	}
	return nil
}

// Use returns the usage.
func (c *Control) Use(_ None, u *Usage) error {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	*u = Usage{
		CPU:  time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		Heap: m.HeapAlloc, Stacks: m.StackInuse, Allocated: m.TotalAlloc,
	}
	return nil
}

// Collect collects garbage and gives the memory back, twice: what finalizers and
// weak pointers held goes the second time.
func (c *Control) Collect(None, *None) error {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	return nil
}

// StartProfile begins a CPU profile.
func (c *Control) StartProfile(file string, _ *None) (err error) {
	if c.profile, err = os.Create(file); err != nil {
		return err
	}
	return pprof.StartCPUProfile(c.profile)
}

// StopProfile ends it.
func (c *Control) StopProfile(None, *None) error {
	pprof.StopCPUProfile()
	return c.profile.Close()
}

// HeapProfile writes what is live.
func (c *Control) HeapProfile(file string, _ *None) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	runtime.GC()
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}

// Main is a server's process: it serves proxies at one address and the control at
// another until ctx ends.
func Main(ctx context.Context, spec Spec, prepared, address, control string) error {
	target, err := New(ctx, spec, prepared)
	if err != nil {
		return fmt.Errorf("make server %s: %w", spec.Kind, err)
	}
	debug.FreeOSMemory() // what only the start needed
	listener, err := net.Listen("tcp", control)
	if err != nil {
		return err
	}
	r := rpc.NewServer()
	if err := r.Register(&Control{target: target}); err != nil {
		return err
	}
	go r.Accept(listener)
	return target.Serve(ctx, address)
}
