package operator

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/netns"
)

func TestMain(m *testing.M) { netns.Main(m) }

const site = `
apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {name: docs-main, namespace: docs}
spec: {domain: docs.example.com, backend: {serviceName: docs-main-svc, servicePort: 80}}
---
apiVersion: v1
kind: Service
metadata: {name: docs-main-svc, namespace: docs}
spec: {ports: [{port: 80}]}
`

func TestStartsStopsRestarts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docs.yaml"), []byte(site), 0o644); err != nil {
		t.Fatal(err)
	}
	o, err := Start(ctx, t, Options{Sites: dir})
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", o.XDSAddress); err != nil {
		t.Errorf("ready, but not there for proxies: %v", err)
	} else {
		conn.Close()
	}
	o.Stop()
	if err := o.Process().Err(); err != nil {
		t.Errorf("it ended with %v, want a clean end", err)
	}
	if err := o.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	// A terminal that goes away ends it as well as a person does.
	if err := o.Process().Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	select {
	case <-o.Process().Done():
	case <-ctx.Done():
		t.Fatal("it goes on after SIGHUP")
	}
	if err := o.Process().Err(); err != nil {
		t.Errorf("SIGHUP ended it with %v, want a clean end", err)
	}
	for _, entry := range o.Log.Entries() {
		if entry.Fields == nil {
			t.Errorf("a log line is not JSON: %s", entry.Line)
		}
	}
}

func TestBootstrapIsValid(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, sotw := range []bool{false, true} {
		bootstrap, err := Bootstrap(ctx, BootstrapOptions{XDSAddress: "127.0.0.1:9000", NodeID: "test", SOTW: sotw})
		if err != nil {
			t.Fatal(err)
		}
		if err := envoy.Validate(ctx, bootstrap); err != nil {
			t.Errorf("state of the world %v: %v", sotw, err)
		}
	}
}
