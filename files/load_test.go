package files

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"my-company.com/staticsite-operator/object"
)

var update = flag.Bool("update", false, "rewrite testdata/bad.txt")

// testdata/bad has a file for each way in which a file can be bad, each with a
// good site in it or beside it; bad.txt has what is said of them.
func TestLoadSaysWhatIsWrongWhere(t *testing.T) {
	loaded, err := Load("testdata/bad")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, p := range loaded.Problems {
		fmt.Fprintln(&got, p)
	}
	for _, ref := range slices.SortedFunc(maps.Keys(loaded.Objects), func(a, b object.Ref) int { return compareKeys(a.Key, b.Key) }) {
		fmt.Fprintf(&got, "%s: %s %s is good\n", loaded.Files[ref], ref.Kind, ref.Key)
	}
	const golden = "testdata/bad.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got (run with -update if it is meant):\n%s", diff)
	}
}

func TestLoadOfOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "of any name")
	if err := os.WriteFile(path, []byte(siteText("a", "a.example.com")), 0o644); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil || len(loaded.Objects) != 1 || len(loaded.Problems) != 0 {
		t.Errorf("Load() = %+v, %v", loaded, err)
	}
	if _, err := Load(path + ".missing"); err == nil || !strings.Contains(err.Error(), path+".missing") {
		t.Errorf("of a missing file: %v", err)
	}
}

// What is no object costs the others of its list nothing.
func TestLoadOfAListWithAMistake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.yaml")
	text := "{apiVersion: v1, kind: List, items: [3, {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}]}"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil || len(loaded.Objects) != 1 || len(loaded.Problems) != 1 || loaded.Problems[0].Error() != path+": List: items[0]: write an object, not 3" {
		t.Errorf("Load() = %+v, %v", loaded, err)
	}
}

// A file that is too large is not read, whatever its name is, and takes nothing from
// the others.
func TestLoadOfAFileThatIsTooLarge(t *testing.T) {
	folder := t.TempDir()
	large, good := filepath.Join(folder, "large.yaml"), filepath.Join(folder, "good.yaml")
	if err := os.WriteFile(good, []byte(siteText("a", "a.example.com")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{maxFile + 1, 20 << 30} { // It has holes, and takes no room.
		if err := os.Truncate(large, size); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{folder, large} {
			loaded, err := Load(path)
			if err != nil || len(loaded.Problems) != 1 || !strings.Contains(loaded.Problems[0].Error(), large+": cannot be read: it has ") ||
				!strings.Contains(loaded.Problems[0].Error(), "at most 16 MB are read: write the objects into several files") {
				t.Errorf("%d bytes: %v, %v", size, loaded.Problems, err)
			}
			if want := map[string]int{folder: 1, large: 0}[path]; len(loaded.Objects) != want {
				t.Errorf("of %s come %d objects, want %d", path, len(loaded.Objects), want)
			}
		}
	}
}
