package netns

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv(together) != "" {
		MainEach(m, "TestLeft", "TestRight")
	}
	Main(m)
}

// as makes TestInner, in a child that starts like any other test binary, do
// one thing.
const as = "NETNS_TEST_AS"

func TestInner(t *testing.T) {
	switch os.Getenv(as) {
	case "":
	case "failure":
		t.Error("as asked")
	case "waiting":
		os.Stdout.WriteString("waiting\n")
		select {}
	case "address":
		os.Stdout.WriteString(os.Getenv(inside) + "\n")
	default:
		t.Fatalf("what is %q?", os.Getenv(as))
	}
}

// outer is a test binary that has yet to go into a namespace.
func outer(what string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestInner$")
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, inside+"=") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, as+"="+what)
	return cmd
}

func TestAddressesWork(t *testing.T) {
	for n := 1; n <= addresses; n++ {
		listener, err := net.Listen("tcp", net.JoinHostPort(Addr(n), "80"))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			if conn, err := listener.Accept(); err == nil {
				io.WriteString(conn, Addr(n))
				conn.Close()
			}
		}()
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != Addr(n) {
			t.Errorf("%s answered %q, %v", Addr(n), got, err)
		}
		conn.Close()
	}
	// The machine's own interfaces are out of reach.
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			t.Errorf("there is an interface %s", i.Name)
		}
	}
}

func TestExitCodePassesThrough(t *testing.T) {
	out, err := outer("failure").CombinedOutput()
	if err == nil || err.Error() != "exit status 1" {
		t.Errorf("a failed test ended with %v", err)
	}
	if !bytes.Contains(out, []byte("as asked")) {
		t.Errorf("its output did not pass through: %s", out)
	}
	if out, err := outer("address").Output(); err != nil || string(out) != "1\nPASS\n" {
		t.Errorf("a passed test: %q, %v", out, err)
	}
}

func TestSignalPassesThrough(t *testing.T) {
	cmd := outer("waiting")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, len("waiting\n"))); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	// The inner process has the pipe's other end: its end ends the pipe.
	if _, err := io.ReadAll(stdout); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "exit status 143" {
		t.Errorf("it ended with %v", err)
	}
}

// TestHosts: two servers have the same port, each on a host of its own, and reach
// what is in the tests' namespace.
func TestHosts(t *testing.T) {
	answers := make(map[string]string)
	for n := 1; n <= 2; n++ {
		host, err := NewHost(t, n)
		if err != nil {
			t.Fatal(err)
		}
		listener := listenOn(t, host, ":80")
		defer listener.Close()
		go func() {
			if conn, err := listener.Accept(); err == nil {
				io.WriteString(conn, conn.LocalAddr().String())
				conn.Close()
			}
		}()
		conn, err := net.Dial("tcp", net.JoinHostPort(host.Addr, "80"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		text, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		answers[host.Addr] = string(text)
	}
	for addr, text := range answers {
		if text != addr+":80" {
			t.Errorf("asked %s, and %s answered", addr, text)
		}
	}
	if len(answers) != 2 {
		t.Errorf("the hosts are not two: %v", answers)
	}
}

// listenOn listens on a host, and checks that it reaches an address of ours.
func listenOn(t *testing.T, host *Host, address string) net.Listener {
	t.Helper()
	ours, err := net.Listen("tcp", net.JoinHostPort(Addr(1), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	type result struct {
		net.Listener
		err error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread()
		var r result
		if r.err = host.Enter(); r.err == nil {
			var conn net.Conn
			if conn, r.err = net.Dial("tcp", ours.Addr().String()); r.err == nil {
				conn.Close()
				r.Listener, r.err = net.Listen("tcp", address)
			}
		}
		made <- r
	}()
	r := <-made
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.Listener
}
