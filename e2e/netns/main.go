package netns

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
)

// inside is set in the process that runs inside the namespace.
const inside = "STATICSITE_NETNS"

// Main runs the tests of m in a new network namespace and exits with their code.
func Main(m *testing.M) { os.Exit(Run(m.Run)) }

// Run runs main in a new network namespace and returns its exit code.
func Run(main func() int) (code int) {
	var err error
	if os.Getenv(inside) == "" {
		code, err = reexec()
	} else if err = configure(); err == nil {
		return main()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "netns: "+err.Error())
		code = max(1, code)
	}
	return code
}

// reexec runs this binary with the same arguments inside a new namespace and
// returns its exit code.
func reexec() (code int, err error) {
	// The parent-death signal is about this thread, so it must live on.
	runtime.LockOSThread()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passedOn...)
	cmd, err := start(os.Args, os.Stdout, os.Stderr)
	if err != nil {
		return 1, err
	}
	go func() {
		for s := range signals {
			// What a terminal sends, it sends to the inner process as well, for
			// which twice is once: it dies of the first.
			cmd.Process.Signal(s)
		}
	}()
	return wait(cmd)
}

// passedOn are the signals that the process inside gets as well.
var passedOn = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// wait waits for a process that start has started, and returns its exit code.
func wait(cmd *exec.Cmd) (code int, err error) {
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 1, fmt.Errorf("wait for the process inside: %w", err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), fmt.Errorf("the process inside was ended by a signal: %s", status.Signal())
	}
	return status.ExitStatus(), nil
}

// start starts this binary, with arguments of which the first is its name, in the
// first kind of namespace that is allowed.
func start(args []string, stdout, stderr io.Writer) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this binary: %w", err)
	}
	for _, attributes := range attempts() {
		attributes.Pdeathsig = syscall.SIGKILL
		cmd := exec.Command(path)
		cmd.Args = args
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
		cmd.SysProcAttr = attributes
		if err = cmd.Start(); err == nil {
			return cmd, nil
		}
	}
	return nil, fmt.Errorf("a network namespace is needed, and this machine allows none (%w): "+
		"allow user namespaces (sysctl user.max_user_namespaces=65536, and where it exists "+
		"kernel.apparmor_restrict_unprivileged_userns=0 or kernel.unprivileged_userns_clone=1; "+
		"in a container a seccomp profile that permits unshare), or run as root", err)
}

// attempts returns the ways into a namespace, best first. Root needs no user
// namespace, and keeps all its user ids without one; but root in a container often
// lacks the right to a network namespace alone.
func attempts() []*syscall.SysProcAttr {
	withUser := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if os.Getuid() != 0 {
		return []*syscall.SysProcAttr{withUser}
	}
	return []*syscall.SysProcAttr{{Cloneflags: syscall.CLONE_NEWNET}, withUser}
}
