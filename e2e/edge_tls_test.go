package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"my-company.com/staticsite-operator/credentials/credentialstest"
	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/proc"
	"my-company.com/staticsite-operator/e2e/traffic"
)

const (
	xdsTLSPort     = "9443"
	inspectAddress = "127.0.0.1:9001"
	serverSAN      = "staticsite-operator-xds-svc.operators.svc"
	proxySANs      = "spiffe://example.org/ns/ingress/pod/" // and the pod's name
)

// A locked edge is one that proxies reach with mutual TLS. Its folders are mounted as
// Kubernetes does, from what cert-manager would issue.
type locked struct {
	*edge
	operators, ingress *credentialstest.CA
	dir                string
	pod                string // where all sites are served from
	made               int    // sites
}

// Ports of a server: what is served where.
const (
	plainOnly = "plain"
	tlsOnly   = "TLS"
	both      = "both"
)

func newLocked(t *testing.T, ctx context.Context, ports string) *locked {
	t.Helper()
	l := &locked{operators: credentialstest.NewCA("operators"), ingress: credentialstest.NewCA("ingress"), dir: t.TempDir(), pod: startPod(t, 1, "pod").Address()}
	l.edge = &edge{sites: newFolder(t, map[string]string{"docs.yaml": served("docs", "docs", "docs.example.com", l.pod)})}
	l.mount("server", l.pair(l.operators, serverSAN).Files(l.operators))
	l.mount("proxies", map[string][]byte{"ca.crt": credentialstest.PEM(l.ingress)})
	l.start(t, ctx, ports)
	return l
}

// start starts the server with these ports, after the one that there was.
func (l *locked) start(t *testing.T, ctx context.Context, ports string) {
	t.Helper()
	if l.Operator != nil {
		l.Stop()
	}
	options := operator.Options{
		Sites: string(l.sites), XDSAddress: "0", HealthAddress: healthAddress, HTTPPort: httpPort,
		Args: []string{"--metrics-bind-address=" + metricsAddress},
	}
	if ports != tlsOnly {
		options.XDSAddress = net.JoinHostPort(netns.Addr(9), xdsPort)
	}
	if ports != plainOnly {
		options.Args = append(options.Args, "--xds-tls-bind-address="+net.JoinHostPort(netns.Addr(9), xdsTLSPort), "--xds-inspect-bind-address="+inspectAddress,
			"--xds-tls-dir="+l.path("server"), "--xds-tls-proxy-ca="+l.path("proxies/ca.crt"), "--xds-tls-proxy-san="+proxySANs+"*")
	}
	o, err := operator.Start(ctx, t, options)
	must(t, err)
	l.Operator = o
}

func (l *locked) path(name string) string { return filepath.Join(l.dir, name) }
func (l *locked) mount(folder string, files map[string][]byte) {
	credentialstest.Mount(l.path(folder), files)
}

// pair is a certificate that outlasts the test.
func (l *locked) pair(ca *credentialstest.CA, name string) credentialstest.Pair {
	return ca.Issue(time.Now().Add(time.Hour), name)
}

// taken mounts files for the server, and waits until it says that they are in use.
func (l *locked) taken(t *testing.T, ctx context.Context, folder string, files map[string][]byte) {
	t.Helper()
	l.says(t, ctx, "new credentials are in use", "", func() { l.mount(folder, files) })
}

// says does something, and waits until the server logs a message with an identity, if
// that is given.
func (l *locked) says(t *testing.T, ctx context.Context, message, identity string, do func()) {
	t.Helper()
	from := l.Log.Len()
	do()
	_, err := l.Log.Wait(ctx, from, func(e operator.Entry) bool { return e.Message == message && e.Field("identity") == identity })
	if err != nil {
		t.Fatalf("wait for %q of %q: %v", message, identity, err)
	}
}

// bootstrap mounts what a proxy gets, and returns what it is started with.
func (l *locked) bootstrap(t *testing.T, ctx context.Context, name string, pair credentialstest.Pair) string {
	t.Helper()
	l.mount(name+"-tls", pair.Files(l.ingress)) // As cert-manager does it: the ca.crt here is the proxies' own.
	l.mount(name+"-ca", map[string][]byte{"ca.crt": credentialstest.PEM(l.operators)})
	files := l.path(name + "-envoy")
	must(t, os.Mkdir(files, 0o755))
	_, err := operator.Bootstrap(ctx, operator.BootstrapOptions{
		XDSAddress: net.JoinHostPort(netns.Addr(9), xdsTLSPort), NodeID: name,
		Args: []string{"--tls-dir=" + l.path(name+"-tls"), "--tls-ca=" + l.path(name+"-ca/ca.crt"), "--tls-server-name=" + serverSAN,
			"--output-dir=" + files, "--config-dir=" + files},
	})
	must(t, err)
	text, err := os.ReadFile(filepath.Join(files, "envoy-bootstrap.yaml"))
	must(t, err)
	return string(text)
}

// startLocked starts an Envoy with TLS; it is the n-th host.
func (l *locked) startLocked(t *testing.T, ctx context.Context, n int, name string, pair credentialstest.Pair) *proxy {
	t.Helper()
	host, err := netns.NewHost(t, n)
	must(t, err)
	return startWith(t, ctx, name, l.bootstrap(t, ctx, name, pair), proxyOptions{host: host})
}

// changesArrive makes a new site, and waits until these proxies serve it.
func (l *locked) changesArrive(t *testing.T, ctx context.Context, proxies ...*proxy) {
	t.Helper()
	l.made++
	name := fmt.Sprintf("site-%d", l.made)
	l.sites.put(t, name+".yaml", served("docs", name, name+".example.com", l.pod))
	for _, p := range proxies {
		must(t, awaitAnswer(ctx, p.address, name+".example.com", 200, "pod"))
	}
}

// load sends requests to a proxy until the returned function is called, which fails
// the test if one has failed.
func load(t *testing.T, ctx context.Context, p *proxy) (stop func()) {
	t.Helper()
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "pod"))
	l := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"docs.example.com"}, Rate: 100})
	t.Cleanup(func() { l.Stop() })
	return func() {
		t.Helper()
		must(t, l.WaitSent(ctx, l.Report().Sent+50)) // Some after all that has happened.
		report := l.Stop()
		t.Log(report)
		if err := report.Err(); err != nil {
			t.Error(err)
		}
	}
}

// stat waits until a figure of Envoy's is at least so much.
func stat(t *testing.T, ctx context.Context, e *envoy.Envoy, name string, least uint64) {
	t.Helper()
	must(t, proc.Poll(ctx, func(ctx context.Context) error {
		got, err := e.Stat(ctx, name)
		if err == nil && got < least {
			err = fmt.Errorf("%s is %d, want %d", name, got, least)
		}
		return err
	}))
}

// holds waits until Envoy's next connections use a certificate, of which it shows the
// names and the number.
func holds(t *testing.T, ctx context.Context, p *proxy, what string) {
	t.Helper()
	must(t, proc.Poll(ctx, func(ctx context.Context) error {
		certificates, err := p.Admin(ctx, "/certs")
		if err == nil && !bytes.Contains(certificates, []byte(what)) {
			err = fmt.Errorf("Envoy does not hold %s: %s", what, certificates)
		}
		return err
	}))
}

// TestRotation: everything that can be renewed is, under traffic. Streams go on, and
// what connects afterwards does so by what is new.
func TestRotation(t *testing.T) {
	ctx := bounded(t, 3*time.Minute)
	l := newLocked(t, ctx, tlsOnly)
	const connected, closing = "connected with TLS", "closing the connection of a peer whose certificate is not good any more"
	short := l.ingress.Issue(time.Now().Add(20*time.Second), proxySANs+"first")
	p := l.startLocked(t, ctx, 1, "envoy", short)
	done := load(t, ctx, p)
	explained := question{"docs.example.com", "--sites=" + string(l.sites), "--server=" + inspectAddress}
	explained.await(t, ctx, "Served", 0)

	t.Log("the client's certificate: at the end of the old one the new one is shown")
	l.says(t, ctx, closing, proxySANs+"first", func() {
		from := l.Log.Len()
		l.mount("envoy-tls", l.pair(l.ingress, proxySANs+"second").Files(l.ingress))
		holds(t, ctx, p, proxySANs+"second")
		l.changesArrive(t, ctx, p)
		for _, e := range l.Log.Entries()[from:] {
			if e.Message == connected && time.Now().Before(short.TLS().Leaf.NotAfter) {
				t.Errorf("a renewed certificate ends a connection: %s", e.Line)
			}
		}
	})
	_, err := l.Log.Wait(ctx, 0, func(e operator.Entry) bool {
		return e.Message == connected && e.Field("identity") == proxySANs+"second"
	})
	must(t, err)
	l.changesArrive(t, ctx, p)

	t.Log("the server's certificate: the connection goes on")
	l.taken(t, ctx, "server", l.pair(l.operators, serverSAN).Files(l.operators))
	l.changesArrive(t, ctx, p)
	if ended := l.counter(t, ctx, "staticsite_tls_ended_total"); ended != 1 {
		t.Errorf("%v connections were closed, want 1: that with the certificate that has ended", ended)
	}

	t.Log("the proxies' CA: both, the new certificate, then the new CA alone")
	old := l.ingress
	l.ingress = credentialstest.NewCA("ingress, the next")
	l.taken(t, ctx, "proxies", map[string][]byte{"ca.crt": credentialstest.PEM(old, l.ingress)})
	l.mount("envoy-tls", l.pair(l.ingress, proxySANs+"third").Files(l.ingress))
	holds(t, ctx, p, proxySANs+"third")
	l.changesArrive(t, ctx, p)
	l.says(t, ctx, connected, proxySANs+"third", func() {
		l.taken(t, ctx, "proxies", map[string][]byte{"ca.crt": credentialstest.PEM(l.ingress)})
	})
	l.changesArrive(t, ctx, p)

	t.Log("the server's CA: the proxy believes both, the server shows the new, the proxy believes that alone")
	before := l.operators
	l.operators = credentialstest.NewCA("operators, the next")
	l.mount("envoy-ca", map[string][]byte{"ca.crt": credentialstest.PEM(l.operators, before)})
	holds(t, ctx, p, fmt.Sprintf("%x", l.operators.Certificate.SerialNumber))
	l.taken(t, ctx, "server", l.pair(l.operators, serverSAN).Files(before, l.operators))
	l.mount("envoy-ca", map[string][]byte{"ca.crt": credentialstest.PEM(l.operators)})
	l.changesArrive(t, ctx, p)
	l.Kill9()
	l.says(t, ctx, connected, proxySANs+"third", func() { must(t, l.Restart(ctx)) })
	l.changesArrive(t, ctx, p)

	explained.await(t, ctx, "Served", 0)
	done()
	must(t, noneRefused(ctx, p))
}

// counter returns one of the server's figures.
func (l *locked) counter(t *testing.T, ctx context.Context, series string) float64 {
	t.Helper()
	all, err := l.counters(ctx)
	must(t, err)
	return all[series]
}

// TestBrokenPair: a certificate with the key of another is not used, at either end,
// and nobody notices but who looks at logs and metrics. Mended, it is.
func TestBrokenPair(t *testing.T) {
	ctx := bounded(t, 2*time.Minute)
	l := newLocked(t, ctx, tlsOnly)
	p := l.startLocked(t, ctx, 1, "envoy", l.pair(l.ingress, proxySANs+"first"))
	done := load(t, ctx, p)
	refused := func(want float64) {
		t.Helper()
		must(t, awaitFigures(ctx, metricsAddress, map[string]float64{`staticsite_credentials_refused{credentials="certificate"}`: want}))
	}
	broken := func(ca *credentialstest.CA, name string) map[string][]byte {
		files := l.pair(ca, name).Files(ca)
		files["tls.key"] = l.pair(ca, name).Key
		return files
	}
	refused(0)
	l.says(t, ctx, "new credentials are not good: the old ones stay in use", "", func() { l.mount("server", broken(l.operators, serverSAN)) })
	refused(1)
	l.mount("envoy-tls", broken(l.ingress, proxySANs+"broken"))
	stat(t, ctx, p.Envoy, "sds.client.key_rotation_failed", 1)
	l.changesArrive(t, ctx, p)
	other := l.startLocked(t, ctx, 2, "other", l.pair(l.ingress, proxySANs+"other")) // a new connection
	l.changesArrive(t, ctx, p, other)

	l.taken(t, ctx, "server", l.pair(l.operators, serverSAN).Files(l.operators))
	refused(0)
	l.mount("envoy-tls", l.pair(l.ingress, proxySANs+"second").Files(l.ingress))
	holds(t, ctx, p, proxySANs+"second")
	l.Kill9()
	l.says(t, ctx, "connected with TLS", proxySANs+"second", func() { must(t, l.Restart(ctx)) })
	l.changesArrive(t, ctx, p, other)
	done()
}

// TestStrangers: an Envoy whose certificate has another name, or another CA, gets no
// configuration; nor does one that comes in plaintext.
func TestStrangers(t *testing.T) {
	ctx := bounded(t, time.Minute)
	l := newLocked(t, ctx, tlsOnly)
	good := l.startLocked(t, ctx, 1, "envoy", l.pair(l.ingress, proxySANs+"first"))
	stranger := func(n int, name, bootstrap string) *envoy.Envoy {
		host, err := netns.NewHost(t, n)
		must(t, err)
		e, err := envoy.Launch(ctx, t, envoy.Options{Name: name, Bootstrap: bootstrap, Concurrency: 1, Host: host})
		must(t, err)
		return e
	}
	plaintext, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: net.JoinHostPort(netns.Addr(9), xdsTLSPort), NodeID: "plaintext"})
	must(t, err)
	strangers := []*envoy.Envoy{
		stranger(2, "other-name", l.bootstrap(t, ctx, "other-name", l.pair(l.ingress, "spiffe://example.org/ns/team/pod/web"))),
		stranger(3, "other-ca", l.bootstrap(t, ctx, "other-ca", l.pair(credentialstest.NewCA("other"), proxySANs+"first"))),
		stranger(4, "plaintext", plaintext),
	}
	for _, e := range strangers {
		stat(t, ctx, e, "cluster.xds_cluster.upstream_cx_total", 3) // It has come back, again and again.
	}
	l.changesArrive(t, ctx, good)
	for _, e := range strangers {
		if n, err := e.Stat(ctx, "cluster_manager.cluster_added"); err != nil || n != 1 {
			t.Errorf("a stranger has %d clusters, %v; want the one of its bootstrap", n, err)
		}
	}
	must(t, awaitFigures(ctx, metricsAddress, map[string]float64{`staticsite_tls_connections{role="proxy"}`: 1}))
	if n := l.counter(t, ctx, "staticsite_tls_refused_total"); n < 9 {
		t.Errorf("%v strangers were counted", n)
	}
}

// TestWalkToTLSAndBack: a fleet goes from plaintext to mutual TLS, and back, a proxy
// after the other, while the server has both ports; not one request fails.
func TestWalkToTLSAndBack(t *testing.T) {
	ctx := bounded(t, 3*time.Minute)
	l := newLocked(t, ctx, plainOnly)
	n := 0
	var fleet []*proxy
	var loads []func()
	// roll replaces all proxies as a Deployment does: a new one is there before an
	// old one goes, which serves until its clients have left.
	roll := func(tls bool) {
		t.Helper()
		for i := range 2 {
			n++
			name := fmt.Sprintf("envoy-%d", n)
			var p *proxy
			if tls {
				p = l.startLocked(t, ctx, n, name, l.pair(l.ingress, proxySANs+name))
			} else {
				host, err := netns.NewHost(t, n)
				must(t, err)
				text, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: net.JoinHostPort(netns.Addr(9), xdsPort), NodeID: name})
				must(t, err)
				p = startWith(t, ctx, name, text, proxyOptions{host: host})
			}
			stop := load(t, ctx, p)
			if len(fleet) < 2 {
				fleet, loads = append(fleet, p), append(loads, stop)
				continue
			}
			loads[i]()
			fleet[i].Stop()
			fleet[i], loads[i] = p, stop
		}
		l.changesArrive(t, ctx, fleet...)
	}
	ports := func(ports string) {
		t.Helper()
		l.start(t, ctx, ports)
		l.changesArrive(t, ctx, fleet...)
	}
	roll(false)
	ports(both)
	roll(true)
	ports(tlsOnly)
	ports(both)
	roll(false)
	ports(plainOnly)
	for _, stop := range loads {
		stop()
	}
}
