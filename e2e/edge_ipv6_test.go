package e2e

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// TestIPv6 has server and proxy where there is IPv6 only, both, or IPv4 only,
// all with the flags that they have by default.
func TestIPv6(t *testing.T) {
	t.Run("only", func(t *testing.T) {
		host, err := netns.NewIPv6Host(t, 1)
		must(t, err)
		testFamilies(t, host, nil, host.Addr)
	})
	t.Run("and IPv4", func(t *testing.T) { testFamilies(t, nil, nil, "::1", "127.0.0.1") })
	t.Run("switched off", func(t *testing.T) {
		host, err := netns.NewHost(t, 1)
		must(t, err)
		must(t, host.SwitchOffIPv6())
		testFamilies(t, host, nil, host.Addr)
	})
	t.Run("unknown to the kernel", func(t *testing.T) { // the one case that takes a flag
		host, err := netns.NewHost(t, 1)
		must(t, err)
		host.ForgetIPv6()
		testFamilies(t, host, []string{"--http-address=0.0.0.0"}, host.Addr)
	})
	t.Run("one address", func(t *testing.T) {
		host, err := netns.NewIPv6Host(t, 1)
		must(t, err)
		testFamilies(t, host, []string{"--http-address=" + host.Addr}, host.Addr)
	})
}

// testFamilies starts server and proxy on a host, or where the tests are, and wants
// the proxy to serve at these addresses. A client's address is logged as what it is.
func testFamilies(t *testing.T, host *netns.Host, flags []string, addresses ...string) {
	ctx := bounded(t, time.Minute)
	at, from := netns.Addr(9), netns.Addr(1)
	options := operator.Options{HTTPPort: httpPort, Args: append([]string{"--xds-bind-address=:" + xdsPort, "--health-probe-bind-address=:8081"}, flags...)}
	if host != nil {
		at, from, options.Enter = host.Addr, host.Gateway, host.Enter
	}
	options.XDSAddress, options.HealthAddress = net.JoinHostPort(at, xdsPort), net.JoinHostPort(at, "8081")
	pod, err := backend.Start(t, backend.Pod{Name: "pod", Address: net.JoinHostPort(from, "0")})
	must(t, err)
	site := served("docs", "docs", "docs.example.com", pod.Address())
	if strings.Contains(from, ":") {
		site = strings.Replace(site, "addressType: IPv4", "addressType: IPv6", 1)
	}
	options.Sites = string(newFolder(t, map[string]string{"docs.yaml": site}))
	server, err := operator.Start(ctx, t, options)
	must(t, err)
	e := &edge{Operator: server}
	log := new(accessLog)
	p := e.startProxy(t, ctx, "envoy", proxyOptions{host: host, line: log.add})
	for _, address := range addresses {
		address = net.JoinHostPort(address, "8080")
		must(t, awaitAnswer(ctx, address, "docs.example.com", 200, "pod"))
		must(t, logged(t, ctx, log, address))
	}
	must(t, noneRefused(ctx, p))
}

// logged asks once more, and wants the log to name the client as the client knows
// itself.
func logged(t *testing.T, ctx context.Context, log *accessLog, address string) error {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	must(t, err)
	client, _, err := net.SplitHostPort(conn.LocalAddr().String())
	must(t, err)
	conn.Close()
	path := "/from-" + client
	get(t, ctx, address, "docs.example.com", path)
	line, err := log.about(ctx, path)
	if err == nil && (line["remote_address"] != client || line["peer_address"] != client) {
		t.Errorf("%s is logged as %v, from %v", client, line["remote_address"], line["peer_address"])
	}
	return err
}

// TestAddressChanges: a proxy that serves IPv4 is told to serve IPv6 as well, by a
// server that starts with other flags. Nobody who asks meanwhile notices.
func TestAddressChanges(t *testing.T) {
	ctx := bounded(t, time.Minute)
	sites := newFolder(t, map[string]string{"docs.yaml": served("docs", "docs", "docs.example.com", startPod(t, 1, "pod").Address())})
	before := startEdge(t, ctx, sites, "--http-address=0.0.0.0")
	p := before.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "pod"))
	load := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"docs.example.com"}, Rate: 200})
	defer load.Stop()
	must(t, load.WaitSent(ctx, 100))

	before.Stop()
	startEdge(t, ctx, sites)
	must(t, awaitAnswer(ctx, "[::1]:8080", "docs.example.com", 200, "pod"))
	must(t, load.WaitSent(ctx, 500))
	must(t, noneRefused(ctx, p))
	must(t, undisturbed(t, load))
}
