package translate_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	. "my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/translate/envoy"
)

var update = flag.Bool("update", false, "rewrite the golden files, and delete those that no case produces")

const goldens = "../testdata/translate"

// combinations are the ways to translate, each with a golden file in each case.
var combinations = []Options{
	{Routes: RoutesScoped, Upstreams: UpstreamsEndpoints},
	{Routes: RoutesScoped, Upstreams: UpstreamsDNS},
	{Routes: RoutesSingle, Upstreams: UpstreamsEndpoints},
	{Routes: RoutesSingle, Upstreams: UpstreamsDNS},
}

// allowed are the endpoint ranges that the operator of a case allows.
var allowed = map[string][]netip.Prefix{
	"allowed-endpoint-range": {netip.MustParsePrefix("127.0.0.0/8")},
}

// combinationsOf returns those of a case: a feature has nothing to do with upstreams.
func combinationsOf(name string) []Options {
	if strings.HasPrefix(name, "feature-") {
		return []Options{combinations[0], combinations[2]}
	}
	return combinations
}

// A case is a folder: input.yaml, and what it becomes in each combination.
func TestGoldenFiles(t *testing.T) {
	cases, err := os.ReadDir(goldens)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if !c.IsDir() {
			continue // The goldens of another test.
		}
		t.Run(c.Name(), func(t *testing.T) {
			folder := filepath.Join(goldens, c.Name())
			produced := []string{"input.yaml"}
			for _, opts := range combinationsOf(c.Name()) {
				name := string(opts.Routes) + "-" + string(opts.Upstreams) + ".yaml"
				produced = append(produced, name)
				opts.AllowedEndpoints = allowed[c.Name()]
				delta := NewWorld(opts).Apply(readObjects(t, filepath.Join(folder, "input.yaml")))
				validateAll(t, delta)
				compareGolden(t, filepath.Join(folder, name), render(t, delta, c.Name() == "no-sites"))
			}
			checkStale(t, folder, produced)
		})
	}
}

func compareGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); if that is right, go test ./translate -update:\n%s", path, diff)
	}
}

func checkStale(t *testing.T, folder string, produced []string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if slices.Contains(produced, f.Name()) {
			continue
		}
		path := filepath.Join(folder, f.Name())
		if !*update {
			t.Errorf("%s is produced by no test: delete it, or run with -update", path)
		} else if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

// render writes a Delta for people. The listener, which is the same in every
// case, is written in one of them.
func render(t *testing.T, delta Delta, withListener bool) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, r := range delta.Resources {
		if strings.HasSuffix(r.Type, ".Listener") && !withListener {
			continue
		}
		fmt.Fprintf(&out, "# %s %s\n", short(r.Type), r.Name)
		if r.Placeholder {
			fmt.Fprintln(&out, "# A placeholder: for proxies that hold no form of it.")
		}
		y, err := envoy.YAML(r.Message)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(y)
		fmt.Fprintln(&out, "---")
	}
	for _, v := range delta.Verdicts {
		y, err := yaml.Marshal(map[string]any{
			"generation": v.Generation, "domain": v.Domain, "holds": v.Holds,
			"accepted": condition(v.Accepted), "resolvedRefs": condition(v.ResolvedRefs), "resources": names(v.Resources),
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "# Verdict of StaticSite %s\n%s---\n", v.Site, y)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("---\n"))
}

func condition(c Condition) map[string]any {
	return map[string]any{"ok": c.OK, "reason": c.Reason, "message": c.Message}
}

func names(resources []ResourceName) []string {
	var names []string
	for _, r := range resources {
		names = append(names, short(r.Type)+" "+r.Name)
	}
	return names
}

// validateAll runs the generated validators over every message of a Delta.
func validateAll(t *testing.T, delta Delta) {
	t.Helper()
	for _, r := range delta.Resources {
		if r.Message != nil {
			validate(t, r.Name, r.Message)
		}
		if r.Again != nil {
			validate(t, r.Name, r.Again(proto.Clone(r.Message), 1))
		}
	}
}

func validate(t *testing.T, name string, m proto.Message) {
	t.Helper()
	if err := m.(interface{ ValidateAll() error }).ValidateAll(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
