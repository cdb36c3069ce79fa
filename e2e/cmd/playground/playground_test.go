package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// asProgram makes this test binary the program under test.
const asProgram = "PLAYGROUND_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	netns.Main(m)
}

// playground is the program, not started, in the project's folder.
func playground(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// refuses expects that the program ends at once with one line that says all of this.
func refuses(t *testing.T, cmd *exec.Cmd, says ...string) {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err == nil || err.Error() != "exit status 1" {
		t.Errorf("it ended with %v, want exit status 1", err)
	}
	text := stderr.String()
	if len(stdout) > 0 || strings.Count(text, "\n") != 1 {
		t.Errorf("it said more than one sentence: %s%s", stdout, text)
	}
	for _, want := range says {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q: %s", want, text)
		}
	}
}

func TestPortInUse(t *testing.T) {
	for port, flag := range map[string]string{"8080": "--http-port", "9000": "--xds-port", "8081": "--health-port", "9901": "--admin-port", "9101": "EndpointSlice"} {
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		// The other program is this one.
		refuses(t, playground(t), "port "+port, "in use", "process "+strconv.Itoa(os.Getpid()), flag)
		listener.Close()
	}
}

func TestUnreadableFolder(t *testing.T) {
	refuses(t, playground(t, "--sites=/nowhere/sites"), "/nowhere/sites", "--sites")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	refuses(t, playground(t, "--sites="+file), file, "--sites")
}

func TestNoEnvoy(t *testing.T) {
	cmd := playground(t)
	cmd.Env = append(cmd.Env, "ENVOY=/nowhere/envoy")
	refuses(t, cmd, "$ENVOY", "/nowhere/envoy")
}

// A game is a playground that runs, on a copy of the sample sites.
type game struct {
	*proc.Process
	sites string
	lines chan string // what it prints and nobody has awaited yet
}

func startGame(t *testing.T, ctx context.Context, env ...string) *game {
	t.Helper()
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	samples := filepath.Join(root, "testdata")
	g := &game{sites: filepath.Join(t.TempDir(), "sites"), lines: make(chan string, 1000)}
	if err := os.CopyFS(g.sites, os.DirFS(filepath.Join(samples, "sites"))); err != nil {
		t.Fatal(err)
	}
	g.Process, err = proc.Start(ctx, t, proc.Spec{
		Name: "playground",
		Path: os.Args[0],
		Args: []string{"--sites=" + g.sites, "--pages=" + filepath.Join(samples, "pages")},
		Env:  append(env, asProgram+"=1", "TMPDIR="+t.TempDir()), // killed, it leaves its logs
		Line: func(line []byte) { g.lines <- string(line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	g.await(t, ctx, "Ctrl-C ends it")
	return g
}

// await waits for a line that says all of this.
func (g *game) await(t *testing.T, ctx context.Context, says ...string) {
	t.Helper()
	for {
		select {
		case line := <-g.lines:
			if containsAll(line, says) {
				return
			}
		case <-g.Done():
			for len(g.lines) > 0 { // what it said before its end
				if containsAll(<-g.lines, says) {
					return
				}
			}
			t.Fatalf("it ended without a line that says %q", says)
		case <-ctx.Done():
			t.Fatalf("no line says %q", says)
		}
	}
}

// ends waits until it has ended, and says how.
func (g *game) ends(t *testing.T, ctx context.Context) error {
	t.Helper()
	select {
	case <-g.Done():
		return g.Err()
	case <-ctx.Done():
		t.Fatal("it does not end")
		return nil
	}
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// children returns the ids of the programs that it started, by name.
func (g *game) children(t *testing.T) map[string]int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", g.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	children := map[string]int{}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if errors.Is(err, os.ErrNotExist) {
			continue // that thread has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		for id := range strings.FieldsSeq(string(text)) {
			command, err := os.ReadFile("/proc/" + id + "/cmdline")
			if err != nil {
				t.Fatal(err)
			}
			path, _, _ := strings.Cut(string(command), "\x00")
			if children[filepath.Base(path)], err = strconv.Atoi(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(children) != 2 {
		t.Fatalf("it runs %v, want Envoy and our server", children)
	}
	return children
}

// expectGone waits until processes have ended.
func expectGone(t *testing.T, ctx context.Context, children map[string]int) {
	t.Helper()
	err := proc.Poll(ctx, func(context.Context) error {
		for name, id := range children {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
			if err == nil && !strings.Contains(string(stat), ") Z ") {
				return fmt.Errorf("%s still runs", name)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// page asks Envoy for the page of a host.
func page(ctx context.Context, host string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8080/", nil)
	if err != nil {
		return 0, "", err
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestAWholeGame(t *testing.T) {
	ctx := bounded(t)
	g := startGame(t, ctx)
	for host, title := range map[string]string{
		"docs.localhost:8080": "The product documentation", "api.localhost": "API reference",
		"kb.localhost": "Knowledge base", "handbook.localhost": "The handbook",
	} {
		status, body, err := page(ctx, host)
		if err != nil || status != http.StatusOK || !strings.Contains(body, title) {
			t.Errorf("%s: %d, %v, %s", host, status, err, body)
		}
	}

	// A site of one's own on a Service that is there: ten lines, live at once.
	mine := filepath.Join(g.sites, "mine.yaml")
	const site = "apiVersion: platform.my-company.com/v1alpha1\nkind: StaticSite\nmetadata: {name: mine, namespace: docs}\n" +
		"spec: {domain: %s, backend: {serviceName: docs-main-svc, servicePort: 80}}\n"
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(mine, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(fmt.Sprintf(site, "mine.localhost"))
	g.await(t, ctx, "+ http://mine.localhost:8080", "docs/mine", "acknowledged by the proxy after")
	if status, _, err := page(ctx, "mine.localhost"); err != nil || status != http.StatusOK {
		t.Errorf("said to be live, but: %d, %v", status, err)
	}
	write(fmt.Sprintf(site, "ours.localhost"))
	g.await(t, ctx, "+ http://ours.localhost:8080", "docs/mine")
	if status, _, err := page(ctx, "ours.localhost"); err != nil || status != http.StatusOK {
		t.Errorf("said to be live, but: %d, %v", status, err)
	}
	write("kind: StaticSite\nspec: {domain: [")
	g.await(t, ctx, "! ", "mine.yaml")
	if status, _, err := page(ctx, "ours.localhost"); err != nil || status != http.StatusOK {
		t.Errorf("a broken file took its site down: %d, %v", status, err)
	}
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	g.await(t, ctx, "- http://ours.localhost:8080")
	if status, _, err := page(ctx, "ours.localhost"); err != nil || status != http.StatusNotFound {
		t.Errorf("said to be gone, but: %d, %v", status, err)
	}

	children := g.children(t)
	g.Signal(syscall.SIGINT)
	g.await(t, ctx, "stopping")
	if err := g.ends(t, ctx); err != nil {
		t.Errorf("Ctrl-C: it ended with %v", err)
	}
	expectGone(t, ctx, children)
}

// TestPartDies: when a part dies, it says which, ends the rest, and fails.
func TestPartDies(t *testing.T) {
	for _, victim := range []string{"envoy", "staticsite-operator"} {
		t.Run(victim, func(t *testing.T) {
			ctx := bounded(t)
			g := startGame(t, ctx)
			children := g.children(t)
			id, ok := children[victim]
			if !ok {
				t.Fatalf("it runs %v", children)
			}
			if err := syscall.Kill(id, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			g.await(t, ctx, victim+" ended by itself (signal: killed)")
			if err := g.ends(t, ctx); err == nil || err.Error() != "exit status 1" {
				t.Errorf("it ended with %v", err)
			}
			expectGone(t, ctx, children)
		})
	}
}

// TestSecondInterruptKills has an Envoy that does not end when it is asked to.
func TestSecondInterruptKills(t *testing.T) {
	ctx := bounded(t)
	real, err := parts.Envoy()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	stubborn, never := filepath.Join(dir, "envoy"), filepath.Join(dir, "never")
	if err := syscall.Mkfifo(never, 0o600); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\ntrap '' TERM\n%q \"$@\" &\nwait\nread line <%q\n", real, never)
	if err := os.WriteFile(stubborn, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	g := startGame(t, ctx, "ENVOY="+stubborn)
	children := g.children(t)
	g.Signal(syscall.SIGINT)
	g.await(t, ctx, "stopping")
	g.Signal(syscall.SIGINT)
	if err := g.ends(t, ctx); err == nil || err.Error() != "exit status 130" {
		t.Errorf("it ended with %v", err)
	}
	expectGone(t, ctx, children)
}
