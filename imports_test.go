package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "my-company.com/staticsite-operator"

// rooms says what each room must not import, directly or by way of our other
// rooms (docs/architecture.md). Tests may import more.
var rooms = map[string][]string{
	"xds":                {module, "k8s.io/", "sigs.k8s.io/"},
	"translate":          {module, "k8s.io/client-go", "os", "net/http", "time/tzdata", "log", "go.uber.org/zap", "google.golang.org/grpc"},
	"translate/envoy":    {module, "k8s.io/"},
	"translate/spec":     {module, "k8s.io/"},
	"translate/feature":  {module, "k8s.io/"},
	"translate/upstream": {module, "k8s.io/"},
	"translate/claims":   {module},
	"translate/hostname": {module, "k8s.io/"},
	"control":            {module + "/kube", module + "/files", module + "/replicas", "k8s.io/client-go", "os", "net/http"},
	"replicas":           {module + "/xds", module + "/kube", module + "/files", "k8s.io/"},
	"kube":               {module + "/files", module + "/xds", module + "/replicas"},
	"files":              {module + "/xds", module + "/replicas", "k8s.io/client-go"},
	"explain":            {module, "k8s.io/client-go", "os", "net/http", "log", "go.uber.org/zap", "google.golang.org/grpc"},
	"object":             {module, "k8s.io/client-go", "os", "net/http"},
	"index":              {module, "k8s.io/", "github.com/"},
	"latest":             {module, "k8s.io/", "github.com/"},
	"spelling":           {module, "k8s.io/", "github.com/"},
	"api/v1alpha1":       {module, "k8s.io/client-go"},
}

// friends are the exceptions to module above: what a room may know of ours.
var friends = map[string][]string{
	"xds":    {module + "/latest"},
	"object": {module + "/api/v1alpha1"},
	"translate": {module + "/api/v1alpha1", module + "/index", module + "/object",
		module + "/translate", module + "/translate/claims", module + "/translate/hostname", module + "/translate/text",
		module + "/translate/envoy", module + "/translate/envoy/listener", module + "/translate/feature", module + "/translate/spec", module + "/translate/upstream"},
	"translate/envoy":    {module + "/object", module + "/translate/text", module + "/translate/envoy"},
	"translate/feature":  {module + "/api/v1alpha1", module + "/translate/envoy", module + "/translate/text"},
	"translate/spec":     {module + "/api/v1alpha1", module + "/object", module + "/translate/envoy", module + "/translate/feature", module + "/translate/hostname", module + "/translate/text"},
	"translate/upstream": {module + "/api/v1alpha1", module + "/object", module + "/translate/envoy", module + "/translate/spec", module + "/translate/text"},
	"translate/claims":   {module + "/api/v1alpha1", module + "/object", module + "/translate/hostname", module + "/translate/text"},
	"translate/hostname": {module + "/translate/text"},
	"explain":            {module + "/api/v1alpha1", module + "/index", module + "/translate", module + "/translate/envoy", module + "/translate/feature", module + "/spelling"},
}

// TestRoomsKeepToThemselves holds the import rules of docs/architecture.md.
func TestRoomsKeepToThemselves(t *testing.T) {
	for room, forbidden := range rooms {
		for file, imports := range importsOf(t, room) {
			for _, imported := range imports {
				for _, f := range forbidden {
					if matches(imported, f) && !slices.Contains(friends[room], imported) {
						t.Errorf("%s imports %s: %s must not know it", file, imported, room)
					}
				}
			}
		}
	}
}

// TestNoForeignServer: of go-control-plane only the generated messages are used.
func TestNoForeignServer(t *testing.T) {
	for file, imports := range importsOf(t, ".") {
		if strings.HasPrefix(file, "bench/") {
			continue // the peers that it measures
		}
		for _, imported := range imports {
			rest, ok := strings.CutPrefix(imported, "github.com/envoyproxy/go-control-plane/")
			if ok && !strings.HasPrefix(rest, "envoy/") {
				t.Errorf("%s imports %s", file, imported)
			}
		}
	}
}

// TestImageHasEveryRoom: the Dockerfile copies what the program is made of, and
// nothing else.
func TestImageHasEveryRoom(t *testing.T) {
	dockerfile, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	needed := make(map[string]bool)
	for file, imports := range importsOf(t, ".") {
		top, _, _ := strings.Cut(file, "/")
		if slices.Contains([]string{"bench", "e2e", "tools"}, top) {
			continue // modules of their own
		}
		for _, imported := range imports {
			if room, ours := strings.CutPrefix(imported, module+"/"); ours {
				room, _, _ = strings.Cut(room, "/")
				needed[room] = true
			}
		}
	}
	for _, line := range strings.Split(string(dockerfile), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != "COPY" || fields[1] != fields[2] {
			continue
		}
		if room := fields[1]; !needed[room] {
			t.Errorf("the Dockerfile copies %s, which nothing imports", room)
		}
		delete(needed, fields[1])
	}
	for room := range needed {
		t.Errorf("the Dockerfile does not copy %s", room)
	}
}

// matches tells whether a path is a package or lies below it; a rule that ends
// with a slash is a prefix.
func matches(imported, rule string) bool {
	return imported == rule || strings.HasPrefix(imported, strings.TrimSuffix(rule, "/")+"/")
}

// importsOf returns what each Go file below a folder imports, tests aside.
func importsOf(t *testing.T, folder string) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			all[filepath.ToSlash(path)] = append(all[filepath.ToSlash(path)], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("no Go files in %s", folder)
	}
	return all
}
