package parts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a file that can be run and prints output.
func program(t *testing.T, path, output string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+output+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// project makes an empty project and stands in a folder below it.
func project(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	below := filepath.Join(root, "e2e", "some")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte(rootModule), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	t.Setenv("ENVOY", "")
	t.Setenv("KUBEBUILDER_ASSETS", "")
	t.Setenv("PATH", filepath.Join(root, "path")+":/usr/bin:/bin")
	return root
}

func TestEnvoyOrder(t *testing.T) {
	root := project(t)
	expect := func(want string) {
		t.Helper()
		got, err := Envoy()
		if err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if path, err := Envoy(); err == nil || !strings.Contains(err.Error(), "make tools") || !strings.Contains(err.Error(), "$ENVOY") {
		t.Errorf("none there: got %q, %v", path, err)
	}

	ours := filepath.Join(root, ".tools", "bin", "envoy")
	program(t, ours, "")
	expect(ours)

	onPath := filepath.Join(root, "path", "envoy")
	program(t, onPath, "envoy  version: 9e55/1.39.2/Clean/RELEASE/BoringSSL")
	expect(ours)
	program(t, onPath, "envoy  version: 9e55/1.40.1/Clean/RELEASE/BoringSSL")
	expect(onPath)

	chosen := filepath.Join(root, "mine")
	t.Setenv("ENVOY", chosen)
	if path, err := Envoy(); err == nil || !strings.Contains(err.Error(), "$ENVOY") {
		t.Errorf("$ENVOY names no file: got %q, %v", path, err)
	}
	program(t, chosen, "")
	expect(chosen)
}

func TestFindPrefersAssets(t *testing.T) {
	root := project(t)
	ours := filepath.Join(root, ".tools", "bin", "etcd")
	program(t, ours, "")
	if got, err := Find("etcd"); err != nil || got != ours {
		t.Errorf("got %q, %v; want %q", got, err, ours)
	}
	assets := filepath.Join(root, "assets")
	t.Setenv("KUBEBUILDER_ASSETS", assets)
	if path, err := Find("etcd"); err == nil || !strings.Contains(err.Error(), "$KUBEBUILDER_ASSETS") {
		t.Errorf("assets without etcd: got %q, %v", path, err)
	}
	theirs := filepath.Join(assets, "etcd")
	program(t, theirs, "")
	if got, err := Find("etcd"); err != nil || got != theirs {
		t.Errorf("got %q, %v; want %q", got, err, theirs)
	}
}

func TestMissingPartSaysHowToGetIt(t *testing.T) {
	project(t)
	if path, err := Operator(); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %q, %v", path, err)
	}
	if path, err := Find("kubectl"); err == nil || !strings.Contains(err.Error(), "make tools") {
		t.Errorf("got %q, %v", path, err)
	}
	t.Chdir("/")
	if path, err := Operator(); err == nil || !strings.Contains(err.Error(), "project's folder") {
		t.Errorf("got %q, %v", path, err)
	}
}
