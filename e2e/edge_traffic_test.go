package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// TestTrafficWhileOthersChange sends 200 requests a second to one site while 100
// others are created, changed and deleted. Not one of its requests may notice.
func TestTrafficWhileOthersChange(t *testing.T) {
	for _, routes := range []string{"scoped", "single"} {
		for _, upstreams := range []string{"endpoints", "dns"} {
			for _, sotw := range []bool{false, true} {
				t.Run(routes+"/"+upstreams+"/"+protocol(sotw), func(t *testing.T) {
					testTraffic(t, routes, upstreams, sotw)
				})
			}
		}
	}
}

// quietRequests is how many requests must have been sent for a run to count: 5
// seconds of them.
const quietRequests = 1000

func testTraffic(t *testing.T, routes, upstreams string, sotw bool) {
	ctx := bounded(t, time.Minute)
	c := &churn{
		quiet: startPod(t, 1, "quiet"), busy: startPod(t, 2, "busy"), other: startPod(t, 3, "other"),
		names: startNameServer(t),
	}
	c.names.add("quiet", "quiet", netns.Addr(1))
	c.sites = newFolder(t, map[string]string{"quiet.yaml": served("quiet", "quiet", "quiet.example.com", c.quiet.Address())})
	c.move(t, c.busy)
	e := startEdge(t, ctx, c.sites, "--routes="+routes, "--upstreams="+upstreams)
	p := e.startProxy(t, ctx, "envoy", proxyOptions{sotw: sotw, resolver: c.names.address()})
	c.address = p.address
	must(t, awaitAnswer(ctx, p.address, "quiet.example.com", 200, "quiet"))

	quiet := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"quiet.example.com"}, Rate: 200})
	defer quiet.Stop()
	both := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"quiet.example.com", "moving.example.com"}, Rate: 400, HTTP2: true})
	defer both.Stop()
	rounds := 0
	for ; quiet.Report().Sent < quietRequests; rounds++ {
		c.round(t, ctx)
	}
	for protocol, load := range map[string]*traffic.Load{"HTTP/1.1": quiet, "HTTP/2": both} {
		report := load.Stop()
		t.Logf("%s, %d rounds of changes: %s", protocol, rounds, report)
		if err := report.Err(); err != nil {
			t.Error(err)
		}
	}
}

// churn makes, changes and deletes 100 sites in ten files, and moves one that is
// under watch itself.
type churn struct {
	sites              folder
	names              *nameServer
	quiet, busy, other *backend.Backend
	address            string // of the proxy
}

const (
	churnFiles   = 10
	churnPerFile = 10
)

// round does all that can happen to sites. After each step the proxy's answers
// show that it has happened.
func (c *churn) round(t *testing.T, ctx context.Context) {
	t.Helper()
	c.write(t, "a", c.busy, 0, churnFiles)
	c.await(t, ctx, "a", 200, "busy", 0, churnFiles)

	c.write(t, "a", c.other, 0, churnFiles/2)         // another Service
	c.write(t, "b", c.busy, churnFiles/2, churnFiles) // another domain
	c.move(t, c.other)
	c.await(t, ctx, "a", 200, "other", 0, churnFiles/2)
	c.await(t, ctx, "b", 200, "busy", churnFiles/2, churnFiles)
	c.await(t, ctx, "a", 404, "", churnFiles/2, churnFiles)
	must(t, awaitAnswer(ctx, c.address, "moving.example.com", 200, "other"))

	for file := range churnFiles {
		c.sites.remove(t, churnFile(file))
	}
	c.move(t, c.busy)
	c.await(t, ctx, "a", 404, "", 0, churnFiles/2)
	c.await(t, ctx, "b", 404, "", churnFiles/2, churnFiles)
	must(t, awaitAnswer(ctx, c.address, "moving.example.com", 200, "busy"))
}

func churnFile(file int) string { return fmt.Sprintf("others-%d.yaml", file) }

func churnDomain(variant string, file, n int) string {
	return fmt.Sprintf("%s-%d-%d.example.com", variant, file, n)
}

// write writes the files from up to to. Each site has a Service of its own, named
// after its pod; those of the first file have that of the quiet site.
func (c *churn) write(t *testing.T, variant string, pod *backend.Backend, from, to int) {
	t.Helper()
	for file := from; file < to; file++ {
		var documents []string
		for n := range churnPerFile {
			domain := churnDomain(variant, file, n)
			if file == 0 {
				documents = append(documents, siteYAML("quiet", fmt.Sprintf("guest-%d", n), domain, "quiet", portOf(c.quiet)))
				continue
			}
			namespace := fmt.Sprintf("others-%d", file)
			documents = append(documents, c.onPod(namespace, fmt.Sprintf("site-%d", n), domain, pod))
		}
		c.sites.put(t, churnFile(file), documents...)
	}
}

// move gives the moving site another Service, which is new, and takes its last one
// away: all in one change.
func (c *churn) move(t *testing.T, pod *backend.Backend) {
	t.Helper()
	c.sites.put(t, "moving.yaml", c.onPod("moving", "moving", "moving.example.com", pod))
}

// onPod is a site with a Service of its own that a pod serves.
func (c *churn) onPod(namespace, name, domain string, pod *backend.Backend) string {
	service := name + "-on-" + portOf(pod)
	host, _, _ := strings.Cut(pod.Address(), ":")
	c.names.add(service, namespace, host)
	return strings.Join([]string{
		siteYAML(namespace, name, domain, service, portOf(pod)),
		serviceYAML(namespace, service, portOf(pod)),
		sliceYAML(namespace, service, pod.Address()),
	}, "---\n")
}

func portOf(pod *backend.Backend) string {
	_, port, _ := strings.Cut(pod.Address(), ":")
	return port
}

// await waits until the sites of the files answer with a status, from a pod.
func (c *churn) await(t *testing.T, ctx context.Context, variant string, status int, pod string, from, to int) {
	t.Helper()
	for file := from; file < to; file++ {
		pod := pod
		if file == 0 && status == 200 {
			pod = "quiet"
		}
		for n := range churnPerFile {
			must(t, awaitAnswer(ctx, c.address, churnDomain(variant, file, n), status, pod))
		}
	}
}
