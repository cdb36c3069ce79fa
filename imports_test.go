package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "my-company.com/staticsite-operator"

// A room is a folder of packages, and what is true of each of them. Folders below
// it belong to it, unless they have a row of their own.
type room struct {
	path string

	// knows is all of ours that the room may import, directly or by way of other
	// rooms, besides itself. "x/..." stands for x and all below it.
	knows string

	// never is what of others' the room must not import, directly or by way of other
	// rooms of ours. What a foreign package imports in turn is not looked at.
	never []string
}

// Foreign packages, by what they are for.
var (
	clientGo = []string{"k8s.io/client-go"}
	kubeAny  = []string{"k8s.io", "sigs.k8s.io"}
	inOut    = []string{"os", "net/http", "google.golang.org/grpc", "k8s.io/client-go"}
	logs     = []string{"log", "go.uber.org/zap"}
	anything = []string{"k8s.io", "sigs.k8s.io", "github.com", "go.uber.org", "google.golang.org"}
)

// rooms are the walls of docs/architecture.md, one row a room. Tests may import more.
var rooms = []room{
	// What everybody may know.
	{"api/v1alpha1", "", all(inOut, logs)},
	{"object", "api/v1alpha1", all(inOut, logs)},
	{"index", "", anything},
	{"latest", "", anything},
	{"spelling", "", anything},
	{"sitestatus", "api/v1alpha1 object", all(inOut, logs)},
	{"holdings", "latest", all(inOut, logs)},

	// What is decided: pure, without time, logs and I/O.
	{"decode", "api/v1alpha1 object spelling", all(inOut, logs)},
	{"translate", "api/v1alpha1 index object translate/...", all(inOut, logs, []string{"time/tzdata"})},
	{"translate/spec", "api/v1alpha1 object translate/envoy translate/feature translate/hostname translate/text", all(inOut, logs)},
	{"translate/feature", "api/v1alpha1 object translate/envoy translate/text", all(inOut, logs)},
	{"translate/upstream", "api/v1alpha1 object translate/envoy translate/feature translate/hostname translate/spec translate/text", all(inOut, logs)},
	{"translate/envoy", "api/v1alpha1 object translate/text", all(inOut, logs)},
	{"translate/claims", "api/v1alpha1 object translate/hostname translate/text", all(inOut, logs)},
	{"translate/hostname", "translate/text", anything},
	{"translate/text", "", anything},
	{"explain", "api/v1alpha1 index object spelling translate/...", all(inOut, logs)},
	{"explain/gather", "api/v1alpha1 decode explain files files/catalog index kube kube/lookup latest object sitestatus spelling translate/...", nil},

	// What is served and to whom: it knows of no sites.
	{"xds", "latest", kubeAny},

	// Who a client is: it knows of nothing else.
	{"credentials", "", kubeAny},

	// What is between: it knows of no source.
	{"control", "api/v1alpha1 holdings index latest object sitestatus translate/... xds", []string{"os", "net/http", "k8s.io/client-go"}},
	{"control/decide", "api/v1alpha1 control/fleet holdings index latest object sitestatus translate/...", all(inOut, logs)},
	{"control/fleet", "holdings latest", anything},
	{"control/proxies", "latest xds", kubeAny},
	{"replicas", "holdings latest", all(kubeAny, []string{"os", "net/http"})},
	{"replicas/replicasv1", "", kubeAny},

	// The sources, each with what it writes down of sites.
	{"files", "api/v1alpha1 decode latest object sitestatus spelling", all(clientGo, []string{"net/http", "google.golang.org/grpc"})},
	{"files/catalog", "api/v1alpha1 decode object spelling", all(inOut, logs)},
	{"kube", "", []string{"google.golang.org/grpc", "k8s.io/client-go/dynamic", "k8s.io/client-go/tools/leaderelection"}},
	{"kube/lease", "kube", nil},
	{"kube/lookup", "api/v1alpha1 decode object spelling translate/hostname translate/text", logs},
	{"kube/observed", "api/v1alpha1 decode kube object sitestatus spelling", nil},
	{"kube/source", "api/v1alpha1 decode kube kube/observed latest object sitestatus spelling", []string{"os"}},
	{"kube/statuswriter", "api/v1alpha1 decode kube kube/lease kube/observed latest object sitestatus spelling", nil},
}

func all(lists ...[]string) []string { return slices.Concat(lists...) }

// TestRoomsKeepToThemselves holds the walls.
func TestRoomsKeepToThemselves(t *testing.T) {
	imports := importsOfPackages(t)
	for path := range imports {
		r := roomOf(path)
		if r == nil {
			if path != "." {
				t.Errorf("%s has no row in the table of rooms", path)
			}
			continue
		}
		for _, f := range reach(imports, path) {
			switch ours, is := strings.CutPrefix(f.imported, module+"/"); {
			case is && ours != r.path && !strings.HasPrefix(ours, r.path+"/") && !r.mayKnow(ours):
				t.Errorf("%s: %s must not know %s", f.way, r.path, ours)
			case !is && slices.ContainsFunc(r.never, func(never string) bool { return isBelow(f.imported, never) }):
				t.Errorf("%s: %s must not need %s", f.way, r.path, f.imported)
			}
		}
	}
}

// TestRoomsHaveNoMoreThanTheyNeed keeps the table from permitting what is not so:
// each row and each room that it names are there, and are reached.
func TestRoomsHaveNoMoreThanTheyNeed(t *testing.T) {
	imports := importsOfPackages(t)
	for _, r := range rooms {
		reached, there := make(map[string]bool), false
		for path := range imports {
			if roomOf(path) != nil && roomOf(path).path == r.path {
				there = true
				for _, f := range reach(imports, path) {
					reached[strings.TrimPrefix(f.imported, module+"/")] = true
				}
			}
		}
		if !there {
			t.Errorf("the room %s is not there any more", r.path)
		}
		for _, known := range strings.Fields(r.knows) {
			above, all := strings.CutSuffix(known, "/...")
			if !reached[above] && !(all && slices.ContainsFunc(slices.Collect(maps.Keys(reached)), func(path string) bool { return isBelow(path, above) })) {
				t.Errorf("%s does not need %s any more: take it out of the table", r.path, known)
			}
		}
	}
}

// roomOf returns the row of a package, nil if there is none.
func roomOf(path string) (of *room) {
	for i := range rooms {
		if r := &rooms[i]; isBelow(path, r.path) && (of == nil || len(r.path) > len(of.path)) {
			of = r
		}
	}
	return of
}

func (r *room) mayKnow(ours string) bool {
	return slices.ContainsFunc(strings.Fields(r.knows), func(known string) bool {
		above, all := strings.CutSuffix(known, "/...")
		return ours == known || all && isBelow(ours, above)
	})
}

// isBelow reports whether a path is a folder or lies below it.
func isBelow(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// A found import, and the way to it.
type found struct {
	imported string
	way      string // "a imports b imports c"
}

// reach returns all that a package imports, directly or by way of other packages of
// ours.
func reach(imports map[string][]string, path string) (all []found) {
	seen := map[string]bool{path: true}
	var visit func(path, way string)
	visit = func(path, way string) {
		for _, imported := range imports[path] {
			here := strings.TrimPrefix(imported, module+"/")
			if seen[here] {
				continue
			}
			seen[here] = true
			all = append(all, found{imported, way + " imports " + here})
			if here != imported {
				visit(here, way+" imports "+here)
			}
		}
	}
	visit(path, path)
	return all
}

// importsOfPackages returns what each package of the program imports, by its folder.
func importsOfPackages(t *testing.T) map[string][]string {
	packages := make(map[string][]string)
	for file, imported := range importsOf(t, ".") {
		if isProgram(file) {
			folder := filepath.ToSlash(filepath.Dir(file))
			packages[folder] = append(packages[folder], imported...)
		}
	}
	return packages
}

// isProgram reports whether a file is one of the program's: other modules lie beside it.
func isProgram(file string) bool {
	top, _, _ := strings.Cut(file, "/")
	return !slices.Contains([]string{"bench", "e2e", "tools"}, top)
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
		if !isProgram(file) {
			continue
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
