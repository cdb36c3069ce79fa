package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// With TLS the bootstrap is three files; what is wrong with the flags is said with
// what to write.
func TestBootstrapWithTLSIsThreeFiles(t *testing.T) {
	dir := t.TempDir()
	address := "--xds-address=staticsite-operator-xds-svc.operators.svc.cluster.local:9443"
	out, err := run(t, "bootstrap", address, "--tls-dir=/etc/xds-tls", "--tls-ca=/etc/xds-ca/ca.crt", "--output-dir="+dir, "--admin-port=0", "--max-connections=0")
	if err != nil || out != "" {
		t.Fatalf("%v, and it prints %q", err, out)
	}
	for written, golden := range map[string]string{"envoy-bootstrap.yaml": "tls-bootstrap.yaml", "client.yaml": "tls-client.yaml", "ca.yaml": "tls-ca.yaml"} {
		got, err := os.ReadFile(filepath.Join(dir, written))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("testdata/translate", golden))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not %s:\n%s", written, golden, got)
		}
	}
	for _, test := range []struct{ args, want string }{
		{"--tls-ca=/x", "--tls-ca goes with --tls-dir"},
		{"--tls-server-name=x", "--tls-server-name goes with --tls-dir"},
		{"--output-dir=x", "--output-dir goes with --tls-dir"},
		{"--tls-dir=/x --output-dir=/y", "--tls-dir goes with --tls-ca"},
		{"--tls-dir=/x --tls-ca=/y", "--tls-dir goes with --output-dir"},
		{"--tls-dir=x --tls-ca=/y --output-dir=/z", "--tls-dir=x: write the whole path"},
		{"--tls-dir=/x --tls-ca=y --output-dir=/z", "--tls-ca=y: write the whole path"},
		{"--tls-dir=/x --tls-ca=/y --output-dir=/z --config-dir=c", "--config-dir=c: write the whole path"},
		{"--tls-dir=/x --tls-ca=/y --output-dir=/z --xds-address=192.0.2.1:9443", "--tls-dir goes with --tls-server-name where --xds-address is an IP address"},
		{"--tls-dir=/x --tls-ca=/y --output-dir=/nowhere/at/all", "--output-dir=/nowhere/at/all: open"},
	} {
		if _, err := run(t, append([]string{"bootstrap"}, strings.Fields(test.args)...)...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.args, err, test.want)
		}
	}
}
