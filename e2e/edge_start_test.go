package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/proc"
)

// An edge is our server on a folder of sites, for Envoys to be started with.
type edge struct {
	*operator.Operator
	sites folder
}

// The tests here run one after the other in a namespace of their own, so every
// port is free. Ports that the kernel hands out could be a connection's.
const (
	httpPort       = 8080
	xdsPort        = "9000"
	healthAddress  = "127.0.0.1:8081"
	metricsAddress = "127.0.0.1:8082"
)

// startEdge starts the server. Proxies on hosts of their own reach it.
func startEdge(t *testing.T, ctx context.Context, sites folder, args ...string) *edge {
	t.Helper()
	o, err := operator.Start(ctx, t, operator.Options{
		Sites: string(sites), XDSAddress: net.JoinHostPort(netns.Addr(9), xdsPort), HealthAddress: healthAddress, HTTPPort: httpPort,
		Args: append([]string{"--metrics-bind-address=" + metricsAddress}, args...),
	})
	must(t, err)
	return &edge{o, sites}
}

// proxyOptions say which Envoy to start.
type proxyOptions struct {
	sotw     bool
	resolver netip.AddrPort // of names; zero: the machine's own
	host     *netns.Host
	line     func([]byte)
	xds      string // where the server is; empty: where it listens
}

// A proxy is an Envoy of an edge.
type proxy struct {
	*envoy.Envoy
	address string // host:port of its HTTP
}

// protocol is what the --protocol flag, and the metrics, call it.
func protocol(sotw bool) string {
	if sotw {
		return "sotw"
	}
	return "delta"
}

// startProxy starts an Envoy with the bootstrap that our program prints.
func (e *edge) startProxy(t *testing.T, ctx context.Context, name string, options proxyOptions) *proxy {
	t.Helper()
	if options.xds == "" {
		options.xds = e.XDSAddress
	}
	var args []string
	if options.resolver.IsValid() {
		args = append(args, "--dns-resolver="+options.resolver.String())
	}
	bootstrap, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: options.xds, NodeID: name, SOTW: options.sotw, Args: args})
	must(t, err)
	return startWith(t, ctx, name, bootstrap, options)
}

// startWith starts an Envoy with a given bootstrap.
func startWith(t *testing.T, ctx context.Context, name, bootstrap string, options proxyOptions) *proxy {
	t.Helper()
	p, err := envoy.Start(ctx, t, envoy.Options{
		Name: name, Bootstrap: bootstrap, Concurrency: 1, Host: options.host, Line: options.line,
		Args: []string{"--file-flush-interval-msec", "50"}, // the access log's; else 10 s
	})
	must(t, err)
	ip := "127.0.0.1"
	if options.host != nil {
		ip = options.host.Addr
	}
	return &proxy{p, net.JoinHostPort(ip, strconv.Itoa(httpPort))}
}

// startPod starts a backend that says who it is, on the n-th address.
func startPod(t *testing.T, n int, name string) *backend.Backend {
	t.Helper()
	b, err := backend.Start(t, backend.Pod{Name: name, Address: net.JoinHostPort(netns.Addr(n), "0")})
	must(t, err)
	return b
}

func (e *edge) counters(ctx context.Context) (map[string]float64, error) {
	return counters(ctx, metricsAddress)
}

// connected waits until so many proxies are connected by a protocol.
func (e *edge) connected(ctx context.Context, sotw bool, proxies int) error {
	series := fmt.Sprintf("staticsite_xds_streams{protocol=%q}", protocol(sotw))
	return proc.Poll(ctx, func(ctx context.Context) error {
		counters, err := e.counters(ctx)
		if err == nil && counters[series] != float64(proxies) {
			err = fmt.Errorf("%v proxies are connected, want %d", counters[series], proxies)
		}
		return err
	})
}
