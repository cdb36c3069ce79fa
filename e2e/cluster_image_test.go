package e2e

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/parts"
)

// TestImage builds what the Dockerfile builds, from what it copies, and runs it as
// a pod is run: not as root, on a file system that cannot be written, with nothing
// on it but the binary and what Kubernetes mounts.
func TestImage(t *testing.T) {
	ctx := bounded(t, 5*time.Minute) // the first time, all of it is compiled
	image := readDockerfile(t)
	manager := image.build(t, ctx)

	again, err := os.ReadFile(image.build(t, ctx)) // in another folder
	must(t, err)
	if first, err := os.ReadFile(manager); err != nil || !bytes.Equal(first, again) {
		t.Errorf("two builds of the same sources differ (%v)", err)
	}
	binary, err := elf.Open(manager)
	must(t, err)
	defer binary.Close()
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is not static: it has a segment %s", p.Type)
		}
	}
	out, err := exec.CommandContext(ctx, manager, "version").Output()
	must(t, err)
	says(t, string(out), "v1.2.3-test")

	testPod(t, ctx, manager)
}

// A dockerfile is its first stage, as far as it matters here.
type dockerfile struct {
	root   string
	copies [][]string // sources, and where they go
	run    string     // the build line
}

func readDockerfile(t *testing.T) *dockerfile {
	t.Helper()
	root, err := parts.Root()
	must(t, err)
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	must(t, err)
	d := &dockerfile{root: root}
	stages := 0
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case word == "FROM":
			stages++
		case word == "COPY" && stages == 1:
			d.copies = append(d.copies, strings.Fields(rest))
		case word == "RUN" && strings.Contains(rest, "go build"):
			d.run = rest
		case word == "USER" && rest != "65532:65532":
			t.Errorf("the image's user is %s", rest)
		}
	}
	if d.run == "" || !strings.Contains(d.run, "-o /manager ") || !bytes.Contains(text, []byte("\nUSER 65532:65532\n")) {
		t.Fatalf("the Dockerfile is not understood: %+v", d)
	}
	return d
}

// build runs the build line in a new folder that has what the Dockerfile copies,
// and returns the binary.
func (d *dockerfile) build(t *testing.T, ctx context.Context) string {
	t.Helper()
	source, out := t.TempDir(), filepath.Join(t.TempDir(), "manager")
	for _, words := range d.copies {
		to := filepath.Join(source, words[len(words)-1])
		for _, pattern := range words[:len(words)-1] {
			found, err := filepath.Glob(filepath.Join(d.root, pattern))
			must(t, err)
			if len(found) == 0 {
				t.Fatalf("COPY %s: there is no such file", pattern)
			}
			for _, from := range found {
				must(t, copyInto(to, from))
			}
		}
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", strings.Replace(d.run, "-o /manager ", "-o '"+out+"' ", 1))
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "TARGETOS=linux", "TARGETARCH="+runtime.GOARCH, "VERSION=v1.2.3-test")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", d.run, err, text)
	}
	return out
}

// copyInto is Docker's COPY: a file goes into a folder, a folder's content too.
func copyInto(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, filepath.Base(from)), text, 0o644)
}

// testPod runs a binary in a cluster, where it finds everything by itself.
func testPod(t *testing.T, ctx context.Context, manager string) {
	c := install(t, ctx)
	config, err := c.APIServer.ServiceAccountConfig(ctx, serverNamespace, serverAccount)
	must(t, err)
	ca, err := os.ReadFile(config.CAFile)
	must(t, err)
	binary, err := os.ReadFile(manager)
	must(t, err)
	const mounted = "var/run/secrets/kubernetes.io/serviceaccount/"
	root := rootFolder(t, map[string][]byte{
		"manager":             binary,
		"dev/null":            nil, // what a container's runtime provides
		mounted + "token":     []byte(config.BearerToken),
		mounted + "ca.crt":    ca,
		mounted + "namespace": []byte(serverNamespace),
	})
	host, port, err := net.SplitHostPort(strings.TrimPrefix(c.APIServer.URL, "https://"))
	must(t, err)
	o, err := operator.Start(ctx, t, operator.Options{
		Name:          "pod",
		Path:          "/manager",
		XDSAddress:    net.JoinHostPort(netns.Addr(9), "9000"),
		HealthAddress: "127.0.0.1:8081",
		Args:          append(c.deployed(t, ctx), "--metrics-bind-address=127.0.0.1:8082"),
		Env:           []string{"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port, "KUBECONFIG=", "HOME="},
		Enter:         func() error { return confine(root) },
	})
	must(t, err)
	testConfined(t, o.Process().Pid())
	must(t, c.apply(ctx, endpointYAML("pod", o.XDSAddress)))

	bootstrap, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: o.XDSAddress, NodeID: "envoy"})
	must(t, err)
	e, err := envoy.Start(ctx, t, envoy.Options{Bootstrap: bootstrap, Concurrency: 1})
	must(t, err)
	c.live(t, ctx, &proxy{e, "127.0.0.1:8080"}, "docs", "docs-main", "docs.example.com")
	_, err = c.awaitVerdict(ctx, "docs", "docs-main", good)
	must(t, err)
	if err := awaitAnswer(ctx, "127.0.0.1:8080", "other.example.com", http.StatusNotFound, ""); err != nil {
		t.Error(err)
	}
	o.Stop()
	if err := o.Process().Err(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// rootFolder makes a folder with these files, which all can read.
func rootFolder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	for name, content := range files {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, content, 0o555))
	}
	return root
}

// confine moves the calling thread into a mount namespace whose root is a folder
// that cannot be written, and takes all rights from what it starts. Its user
// becomes 65532 where there is such a user; where the tests run in a user namespace
// of one user, it stays that one, and loses every capability.
func confine(root string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(root, &fs); err != nil {
		return err
	}
	const kept = syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC // or the kernel refuses, in a user namespace
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"unshare", func() error { return syscall.Unshare(syscall.CLONE_NEWNS | syscall.CLONE_FS) }},
		{"make mounts private", func() error { return syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, "") }},
		{"mount", func() error { return syscall.Mount(root, root, "", syscall.MS_BIND, "") }},
		{"mount read-only", func() error {
			return syscall.Mount("", root, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY|uintptr(fs.Flags)&kept, "")
		}},
		{"chroot", func() error { return syscall.Chroot(root) }},
		{"chdir", func() error { return syscall.Chdir("/") }},
		{"drop rights", dropRights},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// dropRights is about the calling thread only, unlike package syscall's functions.
func dropRights() error {
	const (
		user           = 65532
		capabilities   = 64
		boundingSet    = 24 // PR_CAPBSET_DROP
		noNewPrivs     = 38 // PR_SET_NO_NEW_PRIVS
		lastCapability = syscall.EINVAL
	)
	for capability := range uintptr(capabilities) {
		_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, boundingSet, capability, 0)
		if errno == lastCapability {
			break
		}
		if errno != 0 {
			return fmt.Errorf("drop capability %d: %w", capability, errno)
		}
	}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("no new privileges: %w", errno)
	}
	for _, call := range []uintptr{syscall.SYS_SETRESGID, syscall.SYS_SETRESUID} {
		if _, _, errno := syscall.RawSyscall(call, user, user, user); errno != 0 && errno != syscall.EINVAL { // no such user here
			return fmt.Errorf("become user %d: %w", user, errno)
		}
	}
	return nil
}

// testConfined asks the kernel whether a process is as confined as it should be.
func testConfined(t *testing.T, pid int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	says(t, string(status), "CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n")
	if !bytes.Contains(status, []byte("Uid:\t65532\t65532\t65532\t65532\n")) {
		t.Log("there is only one user here: it runs as that one, without capabilities")
	}
	probe := fmt.Sprintf("/proc/%d/root/probe", pid)
	if err := os.WriteFile(probe, nil, 0o644); !errors.Is(err, syscall.EROFS) {
		t.Errorf("its root folder can be written: %v", err)
	}
}
