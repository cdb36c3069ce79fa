package translate_test

import (
	"net/netip"
	"path/filepath"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"

	. "my-company.com/staticsite-operator/translate"
)

func TestBootstrapGoldenFiles(t *testing.T) {
	for name, opts := range map[string]BootstrapOptions{
		"bootstrap-delta.yaml": {
			XDSHost: "staticsite-operator-xds-svc.operators.svc.cluster.local", XDSPort: 9000,
			NodeCluster: "ssg-gateway-cluster", Region: "eu-central-1", Zone: "eu-central-1a",
			AdminPort: 9901, MaxConnections: 50000,
		},
		"bootstrap-sotw.yaml": {
			XDSHost: "staticsite-operator-xds-svc.operators.svc.cluster.local", XDSPort: 9000, Protocol: ProtocolSotw,
			NodeID: "ssg-gateway", NodeCluster: "ssg-gateway-cluster",
		},
		"bootstrap-by-address.yaml": {
			XDSHost: "::1", XDSPort: 9000, NodeID: "edge-1", NodeCluster: "edge",
			DNSResolvers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5353")},
		},
		"tls-bootstrap.yaml": {
			XDSHost: "staticsite-operator-xds-svc.operators.svc.cluster.local", XDSPort: 9443, NodeCluster: "ssg-gateway-cluster", TLS: locked,
		},
	} {
		b := Bootstrap(opts)
		validate(t, name, b)
		y, err := YAML(b)
		if err != nil {
			t.Fatal(err)
		}
		compareGolden(t, filepath.Join(goldens, name), y)
	}
}

var locked = &BootstrapTLS{Dir: "/etc/xds-tls", CAFile: "/etc/xds-ca/ca.crt", ServerName: "staticsite-operator-xds-svc.operators.svc.cluster.local", ConfigDir: "/etc/envoy"}

// The files beside a bootstrap with TLS.
func TestSecretsOfTheBootstrapGoldenFiles(t *testing.T) {
	byURI := *locked
	byURI.ServerName = "spiffe://example.org/ns/operators/sa/staticsite-operator"
	for name, m := range map[string]proto.Message{
		"tls-client.yaml": locked.Client(), "tls-ca.yaml": locked.CA(), "tls-ca-by-uri.yaml": byURI.CA(),
	} {
		y, err := YAML(m)
		if err != nil {
			t.Fatal(err)
		}
		compareGolden(t, filepath.Join(goldens, name), y)
	}
}

// What the first design's proxies were told must still be what they are told.
func TestSotwBootstrapIsTheFirstDesigns(t *testing.T) {
	b := Bootstrap(BootstrapOptions{XDSHost: "xds.example.com", XDSPort: 9000, Protocol: ProtocolSotw})
	ads := b.DynamicResources.AdsConfig
	if ads.ApiType != corev3.ApiConfigSource_GRPC || !ads.SetNodeOnFirstMessageOnly || ads.TransportApiVersion != corev3.ApiVersion_V3 {
		t.Errorf("ADS is %v", ads)
	}
	if name := ads.GrpcServices[0].GetEnvoyGrpc().ClusterName; name != b.StaticResources.Clusters[0].Name || name != "xds_cluster" {
		t.Errorf("ADS uses cluster %s", name)
	}
}

// YAML must not show that protojson varies its output.
func TestYAMLOfEqualMessagesIsEqual(t *testing.T) {
	m := Bootstrap(BootstrapOptions{XDSHost: "xds.example.com", XDSPort: 9000})
	first, err := YAML(m)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := YAML(Bootstrap(BootstrapOptions{XDSHost: "xds.example.com", XDSPort: 9000}))
		if err != nil || string(again) != string(first) {
			t.Fatalf("%v, or not equal:\n%s\n%s", err, first, again)
		}
	}
}

func TestStaticFormHasNothingThatIsStreamed(t *testing.T) {
	for _, opts := range combinations {
		d := NewWorld(opts).Apply(changesOf(docsSite(), docsService(), docsSlice("10.0.0.1")))
		s := newState()
		if err := s.apply(d); err != nil {
			t.Fatal(err)
		}
		b, err := Static(d.Resources)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, "static", b)
		y, err := YAML(b)
		if err != nil {
			t.Fatal(err)
		}
		if opts.Routes == RoutesSingle && contains(y, "ads:") {
			t.Errorf("something comes over ADS:\n%s", y)
		}
		if contains(y, "scoped_rds:") || contains(y, "type: EDS") || !contains(y, "docs_web_80_cluster") {
			t.Errorf("something comes over ADS:\n%s", y)
		}
		if err := s.unmodified(); err != nil {
			t.Error(err)
		}
	}
}

func TestStaticFormOfNoSitesIsValid(t *testing.T) {
	for _, opts := range combinations {
		b, err := Static(NewWorld(opts).Apply(nil).Resources)
		if err != nil {
			t.Fatal(err)
		}
		validateDeep(t, b)
	}
}

// validateDeep also validates what is packed in the listeners.
func validateDeep(t *testing.T, b *bootstrapv3.Bootstrap) {
	t.Helper()
	for _, l := range b.StaticResources.Listeners {
		m, err := l.FilterChains[0].Filters[0].GetTypedConfig().UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		validate(t, l.Name, m)
	}
}
