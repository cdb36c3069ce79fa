package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// run runs a command line and returns what it prints.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := command()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.Execute()
	return out.String(), err
}

// The edge of the manifests is started with what the command prints.
func TestBootstrapIsTheOneInTheManifests(t *testing.T) {
	printed, err := run(t, "bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("manifests/edge/envoy-bootstrap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if printed != string(committed) {
		t.Errorf("manifests/edge/envoy-bootstrap.yaml is not what `staticsite-operator bootstrap` prints:\n%s", printed)
	}
}

func TestWrongFlagsAreNamedWithWhatToWrite(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--routes=one"}, "--routes=one: write scoped or single"},
		{[]string{"--upstreams=ip"}, "--upstreams=ip: write endpoints or dns"},
		{[]string{"--http-port=0"}, "--http-port=0: write a port from 1 to 65535"},
		{[]string{"--http-address=everywhere"}, "--http-address=everywhere: write an IP address: :: for IPv6 and IPv4, 0.0.0.0 for IPv4 alone"},
		{[]string{"--http-address=fe80::1%eth0"}, "--http-address=fe80::1%eth0: write an IP address"},
		{[]string{"--http-address=[::]:8080"}, "--http-address=[::]:8080: write an IP address"},
		{[]string{"--public-scheme=ftp"}, "--public-scheme=ftp: write http or https"},
		{[]string{"--allow-endpoint-cidr=127.0.0.1"}, "--allow-endpoint-cidr=127.0.0.1: write a range such as 127.0.0.0/8"},
		{[]string{"--zap-log-level=loud"}, "--zap-log-level=loud: write debug, info, warn or error"},
		{[]string{"--sites=x", "--leader-elect"}, "leave out --leader-elect"},
		{[]string{"--status-file=x"}, "--status-file goes with --sites"},
		{[]string{"bootstrap", "--xds-address=here"}, "--xds-address=here: write host:port"},
		{[]string{"bootstrap", "--protocol=json"}, "--protocol=json: write delta or sotw"},
		{[]string{"bootstrap", "--dns-resolver=here"}, "--dns-resolver=here: write an address and a port"},
		{[]string{"translate", "testdata/sites", "--output=xml"}, "--output=xml: write yaml or json"},
		{[]string{"lint", "nowhere"}, "nowhere: no such file or directory"},
	} {
		_, err := run(t, test.args...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.args, err, test.want)
		}
	}
}

func TestLintFindsTheSamplesGood(t *testing.T) {
	out, err := run(t, "lint", "testdata/sites", "--allow-endpoint-cidr=127.0.0.0/8")
	if err != nil || out != "4 sites, no problems\n" {
		t.Errorf("%q, %v", out, err)
	}
}
