package envoy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/traffic"
)

func TestMain(m *testing.M) { netns.Main(m) }

// static is an Envoy that answers everything itself.
const static = `
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: %s, port_value: 8080}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: edge
          common_http_protocol_options: {max_requests_per_connection: 25}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {%s}
                direct_response: {status: 200, body: {inline_string: "hello from %s"}}
          http_filters:
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func body(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTwoServeSideBySide(t *testing.T) {
	ctx := bounded(t)
	for n := 1; n <= 2; n++ {
		address := netns.Addr(n)
		e, err := Start(ctx, t, Options{Bootstrap: fmt.Sprintf(static, address, "prefix: /", address)})
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, "http://"+address+":8080/"); got != "hello from "+address {
			t.Errorf("%s answered %q", address, got)
		}
		if served, err := e.Stat(ctx, "http.edge.downstream_rq_2xx"); err != nil || served != 1 {
			t.Errorf("%s says that it answered %d requests, %v", address, served, err)
		}
	}
}

func TestKilledAndRestarted(t *testing.T) {
	ctx := bounded(t)
	address := netns.Addr(1)
	e, err := Start(ctx, t, Options{Bootstrap: fmt.Sprintf(static, address, "prefix: /", "here")})
	if err != nil {
		t.Fatal(err)
	}
	e.Kill9()
	if _, err := e.Admin(ctx, "/ready"); err == nil {
		t.Error("a killed Envoy is ready")
	}
	if err := e.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if got := body(t, "http://"+address+":8080/"); got != "hello from here" {
		t.Errorf("answered %q", got)
	}
	dump, err := e.ConfigDump(ctx)
	if err != nil || !strings.Contains(string(dump), "hello from here") {
		t.Errorf("config dump: %s, %v", dump, err)
	}
	e.Stop()
	if err := e.Process().Err(); err != nil {
		t.Errorf("it ended with %v, want a clean end", err)
	}
}

// TestTrafficIsNotLost: Envoy ends connections after 25 requests, and announces it.
func TestTrafficIsNotLost(t *testing.T) {
	ctx := bounded(t)
	address := netns.Addr(1)
	_, err := Start(ctx, t, Options{Bootstrap: fmt.Sprintf(static, address, "prefix: /", "here")})
	if err != nil {
		t.Fatal(err)
	}
	for _, http2 := range []bool{false, true} {
		load := traffic.Start(traffic.Options{
			Address: address + ":8080", Hosts: []string{"docs.example.com"},
			Rate: 500, HTTP2: http2, PerConn: 1 << 30,
		})
		if err := load.WaitSent(ctx, 2000); err != nil {
			t.Error(err)
		}
		report := load.Stop()
		if err := report.Err(); err != nil {
			t.Errorf("HTTP/2 %v: %v", http2, err)
		}
		if report.Conns < report.Sent/50 {
			t.Errorf("HTTP/2 %v: Envoy did not end connections: %s", http2, report)
		}
	}
}

// TestWaitsForConfiguration: an Envoy whose control plane is not there runs, and
// is not live.
func TestWaitsForConfiguration(t *testing.T) {
	ctx := bounded(t)
	const orphan = `
node: {id: orphan, cluster: orphans}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
dynamic_resources:
  lds_config: {ads: {}, resource_api_version: V3, initial_fetch_timeout: 0s}
  ads_config:
    api_type: DELTA_GRPC
    transport_api_version: V3
    grpc_services: [{envoy_grpc: {cluster_name: xds}}]
static_resources:
  clusters:
  - name: xds
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment: {cluster_name: xds, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9}}}}]}]}
`
	e, err := Launch(ctx, t, Options{Bootstrap: orphan})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Admin(ctx, "/ready"); err == nil || !strings.Contains(err.Error(), "INITIALIZING") {
		t.Errorf("without configuration it says %v", err)
	}
}

func TestRefusedConfiguration(t *testing.T) {
	ctx := bounded(t)
	good := fmt.Sprintf(static, "127.0.0.1", "prefix: /", "here")
	bad := fmt.Sprintf(static, "127.0.0.1", `safe_regex: {regex: "["}`, "here")
	if err := Validate(ctx, good); err != nil {
		t.Error(err)
	}
	if err := Validate(ctx, bad); err == nil || !strings.Contains(err.Error(), "missing ]: [") {
		t.Errorf("an invalid expression: %v", err)
	}
	if _, err := Start(ctx, t, Options{Bootstrap: bad}); err == nil || !strings.Contains(err.Error(), "missing ]: [") {
		t.Errorf("started with an invalid expression: %v", err)
	}
}
