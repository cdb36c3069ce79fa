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
	for committed, args := range map[string][]string{
		"api/v1alpha1/zz_generated.deepcopy.go":                  {"object"},
		"manifests/crd/platform.my-company.com_staticsites.yaml": {"crd"},
	} {
		dir := t.TempDir()
		args = append(args, "paths=./api/...", "output:dir="+dir)
		cmd := exec.Command(generator, args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("controller-gen %v: %v: %s", args, err, out)
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 1 || files[0].Name() != filepath.Base(committed) {
			t.Errorf("controller-gen %v wrote %v, want %s alone", args, files, filepath.Base(committed))
			continue
		}
		want, err := os.ReadFile(filepath.Join(dir, files[0].Name()))
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
}
