package netns

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// together is a folder in which TestLeft and TestRight meet, in a test binary that
// runs its tests side by side; then is what they do when they have met.
const (
	together = "NETNS_TEST_TOGETHER"
	then     = "NETNS_TEST_THEN"
)

func TestLeft(t *testing.T)  { meet(t, "left", "right") }
func TestRight(t *testing.T) { meet(t, "right", "left") }

// meet listens on a port that the other listens on as well, and waits for it.
func meet(t *testing.T, me, other string) {
	folder := os.Getenv(together)
	if folder == "" {
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := os.WriteFile(filepath.Join(folder, me), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	awaitFile(t, filepath.Join(folder, other))
	if what := os.Getenv(then); what == "waiting" {
		select {}
	} else if what == me+" fails" {
		t.Error("as asked")
	}
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(path)
		if err == nil {
			return
		}
		if !errors.Is(err, fs.ErrNotExist) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// sideBySide is a test binary that runs its tests side by side.
func sideBySide(t *testing.T, what string, args ...string) (cmd *exec.Cmd, folder string) {
	if os.Getenv(together) != "" {
		t.Skip("this is that binary")
	}
	folder = t.TempDir()
	cmd = outer("")
	cmd.Args = append([]string{cmd.Path, "-test.parallel=2"}, args...)
	cmd.Env = append(cmd.Env, together+"="+folder, then+"="+what)
	return cmd, folder
}

// Tests run side by side, each with the ports for itself; all are run, one verdict
// is for all, and of those that pass nothing is said.
func TestSideBySide(t *testing.T) {
	for _, test := range []struct{ what, output, failed string }{
		{"", `PASS\n`, ""},
		{"right fails", `--- FAIL: TestRight .*\n +each_test.go:\d+: as asked\nFAIL\n`, "exit status 1"},
	} {
		cmd, _ := sideBySide(t, test.what)
		out, err := cmd.CombinedOutput()
		if failed := cmd.ProcessState.String(); err != nil && failed != test.failed || err == nil && test.failed != "" {
			t.Errorf("%q ended with %v, want %q", test.what, err, test.failed)
		}
		if !regexp.MustCompile("^" + test.output + "$").Match(out) {
			t.Errorf("%q printed\n%s", test.what, out)
		}
	}
	cmd, _ := sideBySide(t, "", "-test.v", "-test.timeout", "5m")
	out, err := cmd.CombinedOutput()
	list := outer("")
	list.Args = []string{list.Path, "-test.list=."}
	names, listed := list.Output()
	if err != nil || listed != nil {
		t.Fatalf("%v, %v: %s", err, listed, out)
	}
	for _, name := range strings.Fields(string(names)) {
		if n := strings.Count(string(out), ": "+name+" "); n != 1 {
			t.Errorf("%s was run %d times:\n%s", name, n, out)
		}
	}
}

// What runs has the time of all together, and ends with who started it.
func TestSideBySideEnds(t *testing.T) {
	cmd, _ := sideBySide(t, "waiting", "-test.timeout", "5s")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "panic: test timed out") {
		t.Errorf("it waited for ever and ended with %v:\n%s", err, out)
	}

	cmd, folder := sideBySide(t, "waiting")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd.Stdout = write
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	defer context.AfterFunc(ctx, func() { cmd.Process.Kill() })()
	awaitFile(t, filepath.Join(folder, "left"))
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err == nil || err.Error() != "exit status 143" {
		t.Errorf("it ended with %v", err)
	}
}
