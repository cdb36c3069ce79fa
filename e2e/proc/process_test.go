package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asParent makes this test binary a program that starts a child, says its id, and
// waits to be killed.
const asParent = "PROC_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(asParent) == "" {
		os.Exit(m.Run())
	}
	program, err := NewProgram("proc-test")
	if err != nil {
		panic(err)
	}
	child, err := Start(context.Background(), program, Spec{Name: "child", Path: "/bin/sleep", Args: []string{"1000"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(child.Pid())
	select {}
}

func shell(script string) Spec {
	return Spec{Name: "script", Path: "/bin/sh", Args: []string{"-c", script}}
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// exists is a readiness condition: the child made the file.
func exists(path string) func(context.Context) error {
	return func(context.Context) error {
		_, err := os.Stat(path)
		return err
	}
}

func TestReadyThenStopped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ready")
	spec := shell(`trap 'echo bye; exit 0' TERM; echo "hello $GREETED"; touch "$FILE"; while :; do sleep 0.01; done`)
	spec.Env = []string{"GREETED=world", "FILE=" + file}
	spec.Ready = exists(file)
	p, err := Start(deadline(t), t, spec)
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	p.Stop() // a second one does nothing
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v, want its own exit code 0", err)
	}
	// Its sleep, of the same process group, is told to end as well.
	if got := p.Tail(); !strings.HasPrefix(got, "hello world\n") || !strings.HasSuffix(got, "\nbye") {
		t.Errorf("tail is %q", got)
	}
}

func TestDiesBeforeReady(t *testing.T) {
	spec := shell("echo no such luck >&2; exit 3")
	spec.Ready = func(context.Context) error { return errors.New("not yet") }
	_, err := Start(deadline(t), t, spec)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"script", "exit status 3", "no such luck"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

func TestNotReadyInTimeIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	file := filepath.Join(t.TempDir(), "pid")
	spec := shell(`echo $$ > "$FILE"; exec sleep 1000`)
	spec.Env = []string{"FILE=" + file}
	spec.Ready = func(context.Context) error { return errors.New("still warming up") }
	_, err := Start(ctx, t, spec)
	if err == nil || !strings.Contains(err.Error(), "still warming up") || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the error does not say what was missing: %v", err)
	}
	if text, err := os.ReadFile(file); err == nil {
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		if !gone(pid) {
			t.Errorf("process %d was left behind", pid)
		}
	}
}

func TestKilledWhenItIgnoresTheRequest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ready")
	spec := shell(`trap '' TERM; touch "$FILE"; while :; do sleep 0.01; done`)
	spec.Env = []string{"FILE=" + file}
	spec.Ready = exists(file)
	spec.Grace = 50 * time.Millisecond
	p, err := Start(deadline(t), t, spec)
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if !gone(p.Pid()) {
		t.Error("it survived")
	}
	if p.Err() == nil {
		t.Error("it ended in peace, want killed")
	}
}

// TestStopsAFrozenChild: one that a test froze ends in peace, too.
func TestStopsAFrozenChild(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ready")
	spec := shell(`trap 'exit 0' TERM; touch "$FILE"; while :; do sleep 0.01; done`)
	spec.Env = []string{"FILE=" + file}
	spec.Ready = exists(file)
	p, err := Start(deadline(t), t, spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v, want its own exit code 0", err)
	}
}

func TestLines(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	spec := shell(`printf 'one\ntw'; printf 'o\n\nno end'`)
	spec.Line = func(line []byte) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, string(line))
	}
	p, err := Start(deadline(t), t, spec)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if want := []string{"one", "two", "", "no end"}; !slices.Equal(lines, want) {
		t.Errorf("lines are %q, want %q", lines, want)
	}
}

func TestNoBinary(t *testing.T) {
	_, err := Start(deadline(t), t, Spec{Name: "ghost", Path: "/nowhere/ghost"})
	if err == nil || !strings.Contains(err.Error(), "start ghost") {
		t.Errorf("error is %v", err)
	}
}

// TestNoChildOutlivesItsParent kills a parent that has no chance to clean up.
func TestNoChildOutlivesItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), asParent+"=1", "TMPDIR="+t.TempDir()) // it cannot clean up
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("read the child's id: %v", err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if gone(child) {
		t.Fatal("the child does not run")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.Wait()
	err = Poll(deadline(t), func(context.Context) error {
		if !gone(child) {
			return fmt.Errorf("process %d still runs", child)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// gone says whether a process has ended; one that nobody has reaped yet has.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X")
}
