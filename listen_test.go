package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestWhereToListenIsChecked(t *testing.T) {
	const tls = "--xds-tls-bind-address=:9443 --xds-tls-dir=d --xds-tls-proxy-ca=f --xds-tls-proxy-san=edge"
	for _, test := range []struct {
		args  string
		peers bool
		want  string // of the error; empty: none
		plain string // where plaintext is served then
	}{
		{args: "", want: "--xds-bind-address=:9000 would give every site's configuration, in plaintext, to whoever reaches it: use --xds-tls-bind-address, or an address of loopback, or accept it with --xds-insecure"},
		{args: "--xds-insecure", plain: ":9000"},
		{args: "--xds-bind-address=127.0.0.1:9000", plain: "127.0.0.1:9000"},
		{args: "--xds-bind-address=127.9.9.9:9000", plain: "127.9.9.9:9000"},
		{args: "--xds-bind-address=[::1]:9000", plain: "[::1]:9000"},
		{args: "--xds-bind-address=[::ffff:127.0.0.1]:9000", plain: "[::ffff:127.0.0.1]:9000"},
		{args: "--xds-bind-address=localhost:9000", plain: "localhost:9000"},
		{args: "--xds-bind-address=[::]:9000", want: "with --xds-insecure"},
		{args: "--xds-bind-address=0.0.0.0:9000", want: "with --xds-insecure"},
		{args: "--xds-bind-address=192.0.2.1:9000", want: "with --xds-insecure"},
		{args: "--xds-bind-address=9000", want: "--xds-bind-address=9000: write an address and a port"},
		{args: "--xds-bind-address=0", want: "goes with --xds-tls-bind-address"},
		{args: "--xds-tls-dir=d", want: "--xds-tls-dir goes with --xds-tls-bind-address"},
		{args: "--xds-tls-proxy-ca=d", want: "--xds-tls-proxy-ca goes with --xds-tls-bind-address"},
		{args: "--xds-tls-proxy-san=d", want: "--xds-tls-proxy-san goes with --xds-tls-bind-address"},
		{args: "--xds-tls-replica-san=d", want: "--xds-tls-replica-san goes with --xds-tls-bind-address"},
		{args: "--xds-tls-bind-address=:9443", want: "goes with --xds-tls-dir: write the folder"},
		{args: "--xds-tls-bind-address=9443", want: "--xds-tls-bind-address=9443: write an address and a port"},
		{args: "--xds-tls-bind-address=0", want: "or leave it out"},
		{args: "--xds-tls-bind-address=:9443 --xds-tls-dir=d", want: "goes with --xds-tls-proxy-ca"},
		{args: "--xds-tls-bind-address=:9443 --xds-tls-dir=d --xds-tls-proxy-ca=f", want: "goes with --xds-tls-proxy-san"},
		{args: tls, plain: "0"},
		{args: tls, peers: true, want: "go with --xds-tls-replica-san"},
		{args: tls + " --xds-tls-replica-san=xds", peers: true, plain: "0"},
		{args: tls + " --xds-bind-address=127.0.0.1:9000", plain: "127.0.0.1:9000"},
		{args: tls + " --xds-bind-address=:9000", want: "with --xds-insecure"},
		{args: tls + " --xds-bind-address=:9000 --xds-insecure", plain: ":9000"},
		{args: tls + " --xds-inspect-bind-address=0", plain: "0"},
		{args: tls + " --xds-inspect-bind-address=:9001", want: "--xds-inspect-bind-address=:9001 can be reached by others"},
	} {
		var f listenFlags
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.add(flags)
		if err := flags.Parse(strings.Fields(test.args)); err != nil {
			t.Fatal(err)
		}
		switch err := f.check(test.peers); {
		case test.want == "" && (err != nil || f.plain != test.plain):
			t.Errorf("%q: plaintext at %s, %v; want %s", test.args, f.plain, err, test.plain)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%q: %v, want %q", test.args, err, test.want)
		}
	}
}

// The error stands before anything is served.
func TestPlaintextForAllIsNotServedByAccident(t *testing.T) {
	_, err := run(t, "--sites=testdata/sites")
	if err == nil || !strings.Contains(err.Error(), "--xds-insecure") {
		t.Errorf("it ends with %v", err)
	}
}
