package bootstrap_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/translate/envoy"
	. "my-company.com/staticsite-operator/translate/envoy/bootstrap"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestGoldenFiles(t *testing.T) {
	for name, opts := range map[string]Options{
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
		b := Render(opts)
		if err := b.ValidateAll(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		y, err := envoy.YAML(b)
		if err != nil {
			t.Fatal(err)
		}
		compareGolden(t, name, y)
	}
}

// compareGolden compares a text with a golden file, or rewrites the file.
func compareGolden(t *testing.T, name string, y []byte) {
	t.Helper()
	path := filepath.Join("../../../testdata/translate", name)
	if *update {
		if err := os.WriteFile(path, y, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(y)); diff != "" {
		t.Errorf("%s differs (-want +got); if that is right, go test ./translate/envoy/bootstrap -update:\n%s", path, diff)
	}
}

var locked = &TLS{Dir: "/etc/xds-tls", CAFile: "/etc/xds-ca/ca.crt", ServerName: "staticsite-operator-xds-svc.operators.svc.cluster.local", ConfigDir: "/etc/envoy"}

// The files beside a bootstrap with TLS.
func TestSecretsGoldenFiles(t *testing.T) {
	byURI := *locked
	byURI.ServerName = "spiffe://example.org/ns/operators/sa/staticsite-operator"
	for name, m := range map[string]proto.Message{
		"tls-client.yaml": locked.Client(), "tls-ca.yaml": locked.CA(), "tls-ca-by-uri.yaml": byURI.CA(),
	} {
		y, err := envoy.YAML(m)
		if err != nil {
			t.Fatal(err)
		}
		compareGolden(t, name, y)
	}
}

// What the first design's proxies were told must still be what they are told.
func TestSotwBootstrapIsTheFirstDesigns(t *testing.T) {
	b := Render(Options{XDSHost: "xds.example.com", XDSPort: 9000, Protocol: ProtocolSotw})
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
	m := Render(Options{XDSHost: "xds.example.com", XDSPort: 9000})
	first, err := envoy.YAML(m)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := envoy.YAML(Render(Options{XDSHost: "xds.example.com", XDSPort: 9000}))
		if err != nil || string(again) != string(first) {
			t.Fatalf("%v, or not equal:\n%s\n%s", err, first, again)
		}
	}
}
