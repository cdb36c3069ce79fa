package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Spec says what to start and when it counts as started.
type Spec struct {
	// Name is what errors and the log file are called by.
	Name string
	// Path is the binary, Args its arguments without the binary's name.
	Path string
	Args []string
	// Env is added to this program's environment.
	Env []string
	// Enter, if set, is called on the thread that starts the child, which then
	// shares that thread's namespaces.
	Enter func() error
	// Ready is asked until it returns nil. Nil itself: ready once started.
	Ready func(context.Context) error
	// Line, if set, gets each line that the child prints, without its end, as
	// well as the log. It is called from one goroutine at a time.
	Line func(line []byte)
	// Grace is how long the child has between SIGTERM and SIGKILL; 10 s if zero.
	Grace time.Duration
}

// Process is a child that was started. Its methods may be called from any
// goroutine, and after it ended.
type Process struct {
	spec Spec
	log  string
	pid  int

	done chan struct{} // closed when the child is gone and its output complete
	err  error         // how it ended; read after done
}

// Start starts a child, waits until it is ready, and returns it; owner's end stops
// it. When the child dies first or ctx ends, the error carries its last lines, and
// nothing is left running.
func Start(ctx context.Context, owner Owner, spec Spec) (*Process, error) {
	if spec.Grace == 0 {
		spec.Grace = 10 * time.Second
	}
	log, err := newLog(owner.ArtifactDir(), spec.Name)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	p := &Process{spec: spec, log: log.Name(), done: make(chan struct{})}
	if err := p.launch(log); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	owner.Cleanup(func() {
		p.Stop()
		if owner.Failed() {
			owner.Logf("the last lines of %s (%s):\n%s", spec.Name, p.log, p.Tail())
		}
	})
	if spec.Ready == nil {
		return p, nil
	}
	if err := p.Await(ctx, "ready", spec.Ready); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// newLog creates a log file that no earlier child of the same name uses.
func newLog(dir, name string) (*os.File, error) {
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == ' ' {
			return '-'
		}
		return r
	}, name)
	file, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return os.CreateTemp(dir, name+"-*.log")
	}
	return file, err
}

// launch starts the child and reaps it when it ends.
func (p *Process) launch(log *os.File) error {
	cmd := exec.Command(p.spec.Path, p.spec.Args...)
	cmd.Env = append(os.Environ(), p.spec.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second // a grandchild that keeps the pipe open does not keep us
	var out io.Writer = log     // the file itself, unless lines are wanted: nothing to copy
	var lines *lineWriter
	if p.spec.Line != nil {
		lines = &lineWriter{line: p.spec.Line}
		out = io.MultiWriter(log, lines)
	}
	cmd.Stdout, cmd.Stderr = out, out

	started := make(chan error, 1)
	go func() {
		// The parent-death signal is about the thread that started the child, not
		// the process. Locked, this thread lives until the child is gone.
		runtime.LockOSThread()
		defer log.Close()
		var err error
		if p.spec.Enter != nil {
			err = p.spec.Enter()
		}
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		if lines != nil {
			lines.flush()
		}
		close(p.done)
	}()
	return <-started
}

// Await asks condition until it returns nil, which is when the child is what state
// says, such as "ready". When the child dies first or ctx ends, the error carries
// its last lines.
func (p *Process) Await(ctx context.Context, state string, condition func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := Poll(ctx, condition)
	select {
	case <-p.done:
		return fmt.Errorf("%s ended before it was %s: %s; its last lines:\n%s", p.spec.Name, state, p.ending(), p.Tail())
	default:
	}
	if err != nil {
		return fmt.Errorf("%s did not get %s: %w; its last lines:\n%s", p.spec.Name, state, err, p.Tail())
	}
	return nil
}

// Name returns the name it was started with.
func (p *Process) Name() string { return p.spec.Name }

// Pid returns the process id, which is also that of its process group.
func (p *Process) Pid() int { return p.pid }

// Log returns the path of the file that holds what the child printed.
func (p *Process) Log() string { return p.log }

// Done is closed when the child is gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the child ended: nil while it runs and after exit code 0.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// ending says in words how the child ended.
func (p *Process) ending() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// Signal sends sig to the child's whole process group.
func (p *Process) Signal(sig syscall.Signal) error {
	select {
	case <-p.done: // its id may be another's by now
		return nil
	default:
	}
	if err := syscall.Kill(-p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %s to %s: %w", sig, p.spec.Name, err)
	}
	return nil
}

// Stop asks the child to end, kills it when it has not within its grace, and
// returns when it is gone. Stopping it again does nothing.
func (p *Process) Stop() {
	// A child that a test froze (SIGSTOP) handles SIGTERM only after SIGCONT.
	p.Signal(syscall.SIGTERM)
	p.Signal(syscall.SIGCONT)
	select {
	case <-p.done:
	case <-time.After(p.spec.Grace):
		p.Kill()
	}
}

// Kill is kill -9, and waits until the child is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// tailSize is how much of a log an error carries.
const tailSize = 4 << 10

// Tail returns the last lines that the child printed.
func (p *Process) Tail() string {
	file, err := os.Open(p.log)
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	start := max(0, info.Size()-tailSize)
	text, err := io.ReadAll(io.NewSectionReader(file, start, tailSize))
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	tail := string(text)
	if start > 0 {
		_, tail, _ = strings.Cut(tail, "\n") // the first one is cut in two
	}
	if strings.TrimSpace(tail) == "" {
		return "(it printed nothing)"
	}
	return strings.TrimRight(tail, "\n")
}
