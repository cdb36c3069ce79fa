package main

import (
	"strings"
	"testing"
)

// A mistake on the command line is told with what to write, or where to read it.
func TestMistakesOnTheCommandLine(t *testing.T) {
	t.Setenv("KUBECONFIG", t.TempDir()+"/none")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for args, want := range map[string]string{
		"--bogus":                               "unknown flag: --bogus; see staticsite-operator --help",
		"explain --bogus x":                     "unknown flag: --bogus; see staticsite-operator explain --help",
		"serve":                                 `unknown command "serve" for "staticsite-operator"; see staticsite-operator --help`,
		"--http-port=70000":                     "see staticsite-operator --help",
		"--http-port=0":                         "--http-port=0: write a port from 1 to 65535",
		"lint":                                  "lint: write one folder or file, not 0",
		"translate a b":                         "translate: write one folder or file, not 2",
		"--leader-elect":                        "write --kubeconfig=FILE (or serve a folder with --sites)",
		"--status-file=s":                       "--status-file goes with --sites",
		"--routes=flat":                         "--routes=flat: write scoped or single",
		"--sites=testdata/sites --leader-elect": "leave out --leader-elect",
		"--sites=testdata/sites --leader-election-namespace=x":  "--leader-election-namespace goes with --leader-elect",
		"--sites=testdata/sites --replicas-service=x":           "--replicas-service goes with --leader-elect",
		"--allow-endpoint-cidr=10.0.0.1 --sites=testdata/sites": "write a range such as 127.0.0.0/8",
		"--zap-log-level=loud --sites=testdata/sites":           "write debug, info, warn or error",
	} {
		if _, err := run(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}
