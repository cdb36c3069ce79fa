package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/translate"
	render "my-company.com/staticsite-operator/translate/envoy"
)

// TestGoldenFilesAreValid shows to the real Envoy all that translation produces.
// The golden files are rendered as static configuration, as many in one as do not
// mean different clusters by one name.
func TestGoldenFilesAreValid(t *testing.T) {
	ctx := bounded(t, 2*time.Minute)
	folder := translateGoldens(t)
	listeners := make(map[string]translate.Resource) // by the file's name, which says the combination
	for _, name := range []string{"scoped-endpoints.yaml", "scoped-dns.yaml", "single-endpoints.yaml", "single-dns.yaml"} {
		for _, r := range readGolden(t, filepath.Join(folder, "no-sites", name)) {
			if _, ok := r.Message.(*listenerv3.Listener); ok {
				listeners[name] = r
			}
		}
		if listeners[name].Message == nil {
			t.Fatalf("no-sites/%s has no listener", name)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*", "*-*.yaml"))
	must(t, err)

	var all bundles
	for _, file := range files {
		resources := readGolden(t, file)
		if filepath.Base(filepath.Dir(file)) != "no-sites" {
			resources = append(resources, listeners[filepath.Base(file)])
		}
		static, err := asStatic(resources)
		must(t, err)
		all.add(static, strings.TrimPrefix(file, folder+"/"))
	}
	t.Logf("%d golden files in %d configurations", len(files), len(all))
	for _, b := range all {
		if err := validate(ctx, b.config); err != nil {
			t.Errorf("one of %s: %v", strings.Join(b.files, ", "), err)
		}
	}

	// Were Envoy not to look at the routes, it would not mind this one.
	for _, file := range []string{"one-site/scoped-endpoints.yaml", "one-site/single-endpoints.yaml"} {
		resources := append(readGolden(t, filepath.Join(folder, file)), listeners[filepath.Base(file)])
		spoil(resources)
		static, err := asStatic(resources)
		must(t, err)
		if err := validate(ctx, static); err == nil || !strings.Contains(err.Error(), "no_such_cluster") {
			t.Errorf("%s with a route to nowhere: %v", file, err)
		}
	}
}

func TestGoldenBootstrapsAreValid(t *testing.T) {
	ctx := bounded(t, time.Minute)
	files, err := filepath.Glob(filepath.Join(translateGoldens(t), "bootstrap-*.yaml"))
	must(t, err)
	if len(files) == 0 {
		t.Fatal("there are none")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		if err := validateBootstrap(ctx, string(text)); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}

// validateBootstrap gives the proxy a name if it has none, which is then on its
// command line.
func validateBootstrap(ctx context.Context, text string) error {
	if !strings.Contains(text, "\n  id: ") {
		text = strings.Replace(text, "\nnode:\n", "\nnode:\n  id: envoy\n", 1)
	}
	return envoy.Validate(ctx, text)
}

// TestEdgeBootstrap: what the manifests give to the proxies is what the program
// prints, and Envoy takes it.
func TestEdgeBootstrap(t *testing.T) {
	ctx := bounded(t, time.Minute)
	root, err := parts.Root()
	must(t, err)
	committed, err := os.ReadFile(filepath.Join(root, "manifests", "edge", "envoy-bootstrap.yaml"))
	must(t, err)
	printed, err := operator.Bootstrap(ctx, operator.BootstrapOptions{
		XDSAddress: "staticsite-operator-xds-svc.operators.svc.cluster.local:9000", AdminPort: 9901,
	})
	must(t, err)
	if printed != string(committed) {
		t.Errorf("manifests/edge/envoy-bootstrap.yaml is not what `staticsite-operator bootstrap` prints:\n%s", printed)
	}
	must(t, validateBootstrap(ctx, printed))
}

func translateGoldens(t *testing.T) string {
	t.Helper()
	root, err := parts.Root()
	must(t, err)
	return filepath.Join(root, "testdata", "translate")
}

// messages are the resources of golden files, by the word that stands before each.
var messages = map[string]func() proto.Message{
	"Cluster":                  func() proto.Message { return &clusterv3.Cluster{} },
	"ClusterLoadAssignment":    func() proto.Message { return &endpointv3.ClusterLoadAssignment{} },
	"Listener":                 func() proto.Message { return &listenerv3.Listener{} },
	"RouteConfiguration":       func() proto.Message { return &routev3.RouteConfiguration{} },
	"ScopedRouteConfiguration": func() proto.Message { return &routev3.ScopedRouteConfiguration{} },
}

// readGolden reads the resources of a golden file. The verdicts in it are for
// people.
func readGolden(t *testing.T, path string) (resources []translate.Resource) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	for document := range strings.SplitSeq(string(text), "---\n") {
		heading, _, _ := strings.Cut(document, "\n")
		word, name, _ := strings.Cut(strings.TrimPrefix(heading, "# "), " ")
		if word == "Verdict" {
			continue
		}
		message, ok := messages[word]
		if !ok {
			t.Fatalf("%s: what is %q?", path, heading)
		}
		r := translate.Resource{Name: name, Message: message()}
		json, err := yaml.YAMLToJSON([]byte(document))
		must(t, err)
		must(t, protojson.Unmarshal(json, r.Message))
		resources = append(resources, r)
	}
	return resources
}

// spoil makes the first route lead to a cluster that does not exist, and Envoy look.
func spoil(resources []translate.Resource) {
	for _, r := range resources {
		routes, _ := r.Message.(*routev3.RouteConfiguration)
		if scope, ok := r.Message.(*routev3.ScopedRouteConfiguration); ok {
			routes = scope.RouteConfiguration
		}
		if routes != nil {
			routes.ValidateClusters.Value = true
			routes.VirtualHosts[0].Routes[0].GetRoute().ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: "no_such_cluster"}
			return
		}
	}
}

// A bundle is one configuration made of several, each with a listener of its own.
type bundle struct {
	config   *bootstrapv3.Bootstrap
	clusters map[string]*clusterv3.Cluster
	files    []string
}

type bundles []*bundle

// add puts a configuration into the first bundle that has no cluster of the same
// name and another meaning.
func (all *bundles) add(config *bootstrapv3.Bootstrap, file string) {
	for _, b := range *all {
		if b.fits(config) {
			b.add(config, file)
			return
		}
	}
	b := &bundle{
		config:   &bootstrapv3.Bootstrap{StaticResources: &bootstrapv3.Bootstrap_StaticResources{}},
		clusters: make(map[string]*clusterv3.Cluster),
	}
	b.add(config, file)
	*all = append(*all, b)
}

func (b *bundle) fits(config *bootstrapv3.Bootstrap) bool {
	for _, c := range config.StaticResources.Clusters {
		if other := b.clusters[c.Name]; other != nil && !proto.Equal(c, other) {
			return false
		}
	}
	return true
}

func (b *bundle) add(config *bootstrapv3.Bootstrap, file string) {
	to := b.config.StaticResources
	for _, c := range config.StaticResources.Clusters {
		if b.clusters[c.Name] == nil {
			b.clusters[c.Name] = c
			to.Clusters = append(to.Clusters, c)
		}
	}
	for _, l := range config.StaticResources.Listeners {
		l.Name = file
		l.Address.GetSocketAddress().PortSpecifier = &corev3.SocketAddress_PortValue{PortValue: uint32(10000 + len(to.Listeners))}
		to.Listeners = append(to.Listeners, l)
	}
	b.files = append(b.files, file)
}

func validate(ctx context.Context, config *bootstrapv3.Bootstrap) error {
	text, err := render.YAML(config)
	if err != nil {
		return err
	}
	return envoy.Validate(ctx, string(text))
}
