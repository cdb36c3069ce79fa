package proc

import (
	"fmt"
	"os"
	"sync"
)

// An Owner answers for what it started: whatever is registered with Cleanup runs
// when the owner ends, last registered first. Every testing.TB is one;
// [Program] is one for a program.
type Owner interface {
	// Cleanup registers what to do when the owner ends.
	Cleanup(func())
	// Failed says whether what the owner did went wrong.
	Failed() bool
	// Logf tells the person who reads the owner's output.
	Logf(format string, args ...any)
	// ArtifactDir is where logs and other files go. A test keeps it when
	// run with -artifacts.
	ArtifactDir() string
}

// Program is an [Owner] for a main function, which defers End.
type Program struct {
	dir string

	mu      sync.Mutex
	cleanup []func()
}

// NewProgram returns an owner whose files are in a new temporary directory,
// which End removes.
func NewProgram(name string) (*Program, error) {
	dir, err := os.MkdirTemp("", name+"-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for logs: %w", err)
	}
	return &Program{dir: dir}, nil
}

// Cleanup implements [Owner].
func (p *Program) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanup = append(p.cleanup, f)
}

// Failed implements [Owner]: a program reports its errors itself.
func (p *Program) Failed() bool { return false }

// Logf implements [Owner].
func (p *Program) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// ArtifactDir implements [Owner].
func (p *Program) ArtifactDir() string { return p.dir }

// End runs what was registered, last first, and removes the program's files.
func (p *Program) End() error {
	for {
		p.mu.Lock()
		n := len(p.cleanup)
		if n == 0 {
			p.mu.Unlock()
			break
		}
		f := p.cleanup[n-1]
		p.cleanup = p.cleanup[:n-1]
		p.mu.Unlock()
		f()
	}
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove the logs in %s: %w", p.dir, err)
	}
	return nil
}
