package generated

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"my-company.com/staticsite-operator/e2e/parts"
)

// TestNothingIsStale generates as the Makefile does, into a folder of its own.
func TestNothingIsStale(t *testing.T) {
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	generator, err := parts.Find("controller-gen")
	if err != nil {
		t.Fatal(err)
	}
	for folder, kind := range map[string]string{
		"api/v1alpha1":  "object",
		"manifests/crd": "crd",
	} {
		dir := t.TempDir()
		cmd := exec.Command(generator, kind, "paths=./api/...", "output:dir="+dir)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("controller-gen %s: %v: %s", kind, err, out)
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("controller-gen %s wrote nothing", kind)
		}
		for _, file := range files {
			same(t, root, filepath.Join(folder, file.Name()), filepath.Join(dir, file.Name()))
		}
	}
}

// TestNoMessageIsStale is the same for the messages between replicas.
func TestNoMessageIsStale(t *testing.T) {
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	const folder = "replicas/replicasv1"
	dir := t.TempDir()
	description, err := os.ReadFile(filepath.Join(root, folder, "replicas.proto"))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "replicas.proto")
	if err := os.WriteFile(copied, description, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", ".", copied)
	cmd.Dir = filepath.Join(root, "tools", "protoc")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tools/protoc: %v: %s", err, out)
	}
	for _, name := range []string{"replicas.pb.go", "replicas_grpc.pb.go"} {
		same(t, root, filepath.Join(folder, name), filepath.Join(dir, name))
	}
}

func same(t *testing.T, root, committed, generated string) {
	t.Helper()
	want, err := os.ReadFile(generated)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, committed))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale; run `make generate` and commit what it writes", committed)
	}
}
