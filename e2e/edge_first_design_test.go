package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// The first design's files as people have them in their repositories: a site, and
// the bootstrap of their three proxies, which share it and so have one node id.
const (
	firstSite = `apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {name: docs-main, namespace: docs}
spec:
  domain: "docs.my-company.com"
  backend: {serviceName: "docs-main-svc", servicePort: 80}
`
	firstBootstrap = `node: {id: ssg-gateway, cluster: ssg-gateway-cluster}
dynamic_resources:
  lds_config: {ads: {}, resource_api_version: V3}
  cds_config: {ads: {}, resource_api_version: V3}
  ads_config:
    api_type: GRPC
    transport_api_version: V3
    set_node_on_first_message_only: true
    grpc_services: [{envoy_grpc: {cluster_name: xds_cluster}}]
static_resources:
  clusters:
  - name: xds_cluster
    type: STRICT_DNS
    connect_timeout: 5s
    lb_policy: ROUND_ROBIN
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment:
      cluster_name: xds_cluster
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: staticsite-operator-xds-svc.operators.svc.cluster.local, port_value: 9000}}}}]}]
`
	firstServer = "staticsite-operator-xds-svc.operators.svc.cluster.local"
)

// TestFirstDesign: three proxies with the first design's bootstrap, in which
// nothing is adapted but our server's address, are served, whatever the layout:
// each gets all changes, also when our server was killed in between.
func TestFirstDesign(t *testing.T) {
	for _, routes := range []string{"scoped", "single"} {
		t.Run(routes, func(t *testing.T) { testFirstDesign(t, routes) })
	}
}

func testFirstDesign(t *testing.T, routes string) {
	ctx := bounded(t, time.Minute)
	pod, other := startPod(t, 1, "pod"), startPod(t, 2, "other")
	service := serviceYAML("docs", "docs-main-svc", 80)
	e := startEdge(t, ctx, newFolder(t, map[string]string{
		"site.yaml":    firstSite,
		"service.yaml": service + "---\n" + sliceYAML("docs", "docs-main-svc", pod.Address()),
	}), "--routes="+routes)

	host, port, err := net.SplitHostPort(e.XDSAddress)
	must(t, err)
	bootstrap := strings.Replace(firstBootstrap, firstServer, host, 1)
	if port != "9000" {
		t.Fatalf("the bootstrap says port 9000, and the server listens on %s", port)
	}
	proxies := startMany(t, ctx, bootstrap, 3)
	must(t, e.connected(ctx, true, 3))
	var loads []*traffic.Load
	for _, p := range proxies {
		must(t, awaitAnswer(ctx, p.address, "docs.my-company.com", 200, "pod"))
		load := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"docs.my-company.com"}, Rate: 50})
		defer load.Stop()
		loads = append(loads, load)
	}

	e.sites.put(t, "service.yaml", service, sliceYAML("docs", "docs-main-svc", other.Address()))
	e.sites.put(t, "new.yaml", served("docs", "new", "new.my-company.com", pod.Address()))
	for _, p := range proxies {
		must(t, awaitAnswer(ctx, p.address, "docs.my-company.com", 200, "other"))
		must(t, awaitAnswer(ctx, p.address, "new.my-company.com", 200, "pod"))
	}
	e.Kill9()
	e.sites.remove(t, "new.yaml")
	must(t, e.Restart(ctx))
	for _, p := range proxies {
		must(t, awaitAnswer(ctx, p.address, "new.my-company.com", 404, ""))
	}
	for i, load := range loads {
		must(t, load.WaitSent(ctx, 20))
		report := load.Stop()
		if err := report.Err(); err != nil {
			t.Errorf("proxy %d: %v", i+1, err)
		}
		must(t, noneRefused(ctx, proxies[i]))
	}
}

// startMany starts proxies with one bootstrap, each on a host of its own.
func startMany(t *testing.T, ctx context.Context, bootstrap string, n int) []*proxy {
	t.Helper()
	var proxies []*proxy
	for i := 1; i <= n; i++ {
		host, err := netns.NewHost(t, i)
		must(t, err)
		proxies = append(proxies, startWith(t, ctx, fmt.Sprintf("envoy-%d", i), bootstrap, proxyOptions{host: host}))
	}
	return proxies
}

// noneRefused is nil if a proxy has never refused a response.
func noneRefused(ctx context.Context, p *proxy) error {
	stats, err := p.Stats(ctx, "update_rejected$")
	for name, n := range stats {
		if n > 0 {
			return fmt.Errorf("%s is %d", name, n)
		}
	}
	return err
}
