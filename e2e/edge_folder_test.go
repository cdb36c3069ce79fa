package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder holds sites as a person keeps them: YAML in files.
type folder string

// newFolder returns a folder with these files, by name.
func newFolder(t *testing.T, files map[string]string) folder {
	t.Helper()
	f := folder(filepath.Join(t.TempDir(), "sites"))
	must(t, os.MkdirAll(string(f), 0o755))
	for name, text := range files {
		f.put(t, name, text)
	}
	return f
}

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// put writes a file as most programs do: the new one takes the place of the old.
func (f folder) put(t *testing.T, name string, documents ...string) {
	t.Helper()
	next := f.path("." + name + ".next") // hidden: not read
	must(t, os.WriteFile(next, []byte(strings.Join(documents, "---\n")), 0o644))
	must(t, os.Rename(next, f.path(name)))
}

func (f folder) remove(t *testing.T, name string) {
	t.Helper()
	must(t, os.Remove(f.path(name)))
}

// siteYAML is a StaticSite.
func siteYAML(namespace, name, domain, service string, port any) string {
	return fmt.Sprintf(`apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {name: %s, namespace: %s}
spec:
  domain: %s
  backend: {serviceName: %s, servicePort: %v}
`, name, namespace, domain, service, port)
}

// serviceYAML is a Service with one port.
func serviceYAML(namespace, name string, port any) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s}
spec: {ports: [{port: %v}]}
`, name, namespace, port)
}

// sliceYAML is an EndpointSlice of a Service with one port. The endpoints are ready
// and have, as in a cluster, the same port.
func sliceYAML(namespace, service string, endpoints ...string) string {
	port, entries := "80", make([]string, len(endpoints))
	for i, endpoint := range endpoints {
		host, p, err := net.SplitHostPort(endpoint)
		if err != nil {
			panic(err) // a mistake in the test
		}
		port, entries[i] = p, fmt.Sprintf("{addresses: [%s]}", host)
	}
	return fmt.Sprintf(`apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s-1, namespace: %s, labels: {kubernetes.io/service-name: %s}}
addressType: IPv4
ports: [{port: %s}]
endpoints: [%s]
`, service, namespace, service, port, strings.Join(entries, ", "))
}

// served is a site with a Service of its own, of the same name.
func served(namespace, name, domain, endpoint string) string {
	_, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		panic(err)
	}
	return strings.Join([]string{
		siteYAML(namespace, name, domain, name, port),
		serviceYAML(namespace, name, port),
		sliceYAML(namespace, name, endpoint),
	}, "---\n")
}
