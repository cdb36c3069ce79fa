package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/e2e/proc"
)

// This file is the proxy that is in step while a storm breaks: in a process of
// its own, so that it does not wait for its turn among those who make the storm.

// watchProxy is that process. It prints a line once it has everything, and then one
// for each arrival.
func watchProxy(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("watch", flag.ContinueOnError)
	spec := specFlags(f)
	address := f.String("address", "", "where the server is")
	if err := f.Parse(args); err != nil {
		return err
	}
	fleet := load.NewFleet(ctx, *address, load.Subscribe(spec.Configuration()), true)
	defer fleet.Close()
	if err := fleet.Connect(ctx, 1); err != nil {
		return err
	}
	fmt.Println("in step")
	out := json.NewEncoder(os.Stdout)
	ticker := time.NewTicker(50 * time.Millisecond) // what arrived knows its own time
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, a := range fleet.Arrivals()[0] {
				if err := out.Encode(a); err != nil {
					return err
				}
			}
			if fleet.Err() != nil {
				return fleet.Err()
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// watcher is the other end of such a process.
type watcher struct {
	proc *proc.Process
	once sync.Once
	step chan struct{} // closed once it has everything

	mu       sync.Mutex
	arrivals []load.Arrival
	err      error
}

// startWatcher starts a proxy and waits until it is in step.
func (b *bench) startWatcher(ctx context.Context, p *process) (*watcher, error) {
	ctx, cancel := bounded(ctx, hung, "it was not sent everything")
	defer cancel()
	w := &watcher{step: make(chan struct{})}
	var err error
	w.proc, err = proc.Start(ctx, b.owner, proc.Spec{
		Name: "watcher", Path: b.binary,
		Args: append([]string{"watch", "-address=" + p.address}, specArgs(p.spec)...),
		Line: w.line,
		Ready: func(context.Context) error {
			select {
			case <-w.step:
				return nil
			default:
				return fmt.Errorf("the watcher does not have everything")
			}
		},
	})
	return w, err
}

func (w *watcher) line(text []byte) {
	first := false
	w.once.Do(func() { first = true; close(w.step) })
	if first {
		return
	}
	var a load.Arrival
	err := json.Unmarshal(text, &a)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("the watcher says %q", text)
	}
	w.arrivals = append(w.arrivals, a)
}

// seen returns what has arrived so far.
func (w *watcher) seen() ([]load.Arrival, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.arrivals, w.err
}

// stop ends the process.
func (w *watcher) stop() { w.proc.Stop() }
