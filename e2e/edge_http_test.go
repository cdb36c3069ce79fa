package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/proc"
)

// An echo is what a request looks like to a backend.
type echo struct {
	Method, Path, Host string
	Header             http.Header
}

func startEcho(t *testing.T) *backend.Backend {
	t.Helper()
	b, err := backend.Start(t, backend.Pod{
		Name: "echo", Address: net.JoinHostPort(netns.Addr(1), "0"),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/socket":
				shout(w)
				return
			case "/many":
				n, _ := strconv.Atoi(r.URL.RawQuery)
				for n := range n {
					w.Header().Set(fmt.Sprintf("X-Header-%d", n), fmt.Sprint(n))
				}
			case "/proxied":
				for _, h := range []string{"X-Envoy-Upstream-Service-Time: 1", "X-Envoy-Peer-Metadata: CgA=", "X-Envoy-Decorator-Operation: a", "X-Edge-Path: /", "X-Fine: yes", "Server: a backend"} {
					name, value, _ := strings.Cut(h, ": ")
					w.Header().Set(name, value)
				}
			case "/fail":
				w.WriteHeader(http.StatusInternalServerError)
			}
			json.NewEncoder(w).Encode(echo{r.Method, r.RequestURI, r.Host, r.Header}) //nolint:errcheck // the client sees it
		}),
	})
	must(t, err)
	return b
}

// A reply is an answer with its body read.
type reply struct {
	*http.Response
	body string
}

// seen is what the backend saw.
func (r *reply) seen(t *testing.T) echo {
	t.Helper()
	var e echo
	if err := json.Unmarshal([]byte(r.body), &e); err != nil {
		t.Errorf("%s is not from the backend: %s", r.Status, r.body)
	}
	return e
}

// say sends the bytes of a request as they are, on a connection of its own.
func say(t *testing.T, ctx context.Context, address string, lines ...string) *reply {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	must(t, err)
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	_, err = io.WriteString(conn, strings.Join(append(lines, "Connection: close"), "\r\n")+"\r\n\r\n")
	must(t, err)
	method, _, _ := strings.Cut(lines[0], " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	must(t, err)
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return &reply{response, string(body)}
}

// get is say with an ordinary request.
func get(t *testing.T, ctx context.Context, address, host, path string, headers ...string) *reply {
	t.Helper()
	return say(t, ctx, address, append([]string{"GET " + path + " HTTP/1.1", "Host: " + host}, headers...)...)
}

// accessLog collects a proxy's access log.
type accessLog struct {
	mu    sync.Mutex
	lines []map[string]any
}

func (l *accessLog) add(line []byte) {
	var fields map[string]any
	if json.Unmarshal(line, &fields) != nil {
		return // Envoy's own
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fields)
}

// about waits for the line of a path.
func (l *accessLog) about(ctx context.Context, path string) (line map[string]any, err error) {
	err = proc.Poll(ctx, func(context.Context) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, line = range l.lines {
			if line["path"] == path {
				return nil
			}
		}
		return fmt.Errorf("no line of %d is about %s", len(l.lines), path)
	})
	return line, err
}

// TestEdge is what readers meet, in both layouts: errors, protocols, addresses in
// the log. What becomes of hosts, paths and headers is in TestRequests.
func TestEdge(t *testing.T) {
	for _, routes := range []string{"scoped", "single"} {
		t.Run(routes, func(t *testing.T) {
			ctx := bounded(t, time.Minute)
			pod := startEcho(t)
			e := startEdge(t, ctx, newFolder(t, map[string]string{
				"docs.yaml": served("docs", "docs-main", "docs.example.com", pod.Address()),
				"none.yaml": siteYAML("docs", "none", "none.example.com", "none", 80) + "---\n" + serviceYAML("docs", "none", 80),
				"unready.yaml": siteYAML("docs", "unready", "unready.example.com", "unready", 80) + "---\n" + serviceYAML("docs", "unready", 80) +
					"---\n" + strings.Replace(sliceYAML("docs", "unready", pod.Address()), "]}]", "], conditions: {ready: false}}]", 1),
			}), "--routes="+routes)
			log := new(accessLog)
			p := e.startProxy(t, ctx, "envoy", proxyOptions{line: log.add})
			must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "echo"))

			t.Run("errors", func(t *testing.T) { testErrors(t, ctx, p) })
			t.Run("protocols", func(t *testing.T) { testProtocols(t, ctx, p) })
			t.Run("access log", func(t *testing.T) { testAccessLog(t, ctx, p, log) })
		})
	}
}

func testErrors(t *testing.T, ctx context.Context, p *proxy) {
	for _, test := range []struct {
		host, title string
		status      int
	}{
		{"unknown.example.com", "Site not found", 404},
		{"example.com", "Site not found", 404},
		{"www.docs.example.com", "Site not found", 404},
		{"127.0.0.1", "Site not found", 404},
		{"none.example.com", "Site unavailable", 503},
		{"unready.example.com", "Site unavailable", 503},
	} {
		got := get(t, ctx, p.address, test.host, "/")
		if got.StatusCode != test.status || !strings.Contains(got.body, "<title>"+test.title+"</title>") {
			t.Errorf("%s: %s with %q, want %d with a page titled %q", test.host, got.Status, got.body, test.status, test.title)
		}
		if got.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: headers are %v", test.host, got.Header)
		}
		if text := strings.ToLower(fmt.Sprint(got.Header, got.body)); strings.Contains(text, "envoy") || strings.Contains(text, "no healthy upstream") {
			t.Errorf("%s: the page is not neutral: %v %s", test.host, got.Header, got.body)
		}
	}
}

func testProtocols(t *testing.T, ctx context.Context, p *proxy) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/new", nil)
	must(t, err)
	request.Host = "docs.example.com:8080"
	response, err := transport.RoundTrip(request)
	must(t, err)
	defer response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != 200 {
		t.Errorf("h2c: %s %s", response.Proto, response.Status)
	}
}

func testAccessLog(t *testing.T, ctx context.Context, p *proxy, log *accessLog) {
	get(t, ctx, p.address, "docs.example.com:8080", "/logged?a=b", `User-Agent: "quotes" \ and {braces}`)
	line, err := log.about(ctx, "/logged?a=b")
	must(t, err)
	for field, want := range map[string]any{
		"site": "docs/docs-main", "status": 200.0, "method": "GET", "authority": "docs.example.com:8080", "protocol": "HTTP/1.1",
		"user_agent": `"quotes" \ and {braces}`, "flags": "-", "remote_address": "127.0.0.1", "peer_address": "127.0.0.1",
	} {
		if line[field] != want {
			t.Errorf("%s is %v, want %v", field, line[field], want)
		}
	}
	say(t, ctx, p.address, "GET /without-host HTTP/1.0")
	line, err = log.about(ctx, "/without-host")
	must(t, err)
	if line["authority"] != "-" {
		t.Errorf("a host that was not written is logged as %v", line["authority"])
	}
	for host, want := range map[string]struct{ site, flags any }{
		"unknown.example.com": {nil, "NR"},
		"none.example.com":    {"docs/none", "UH"},
	} {
		get(t, ctx, p.address, host, "/"+host)
		line, err := log.about(ctx, "/"+host)
		must(t, err)
		if line["site"] != want.site || line["flags"] != want.flags {
			t.Errorf("%s: the log says site %v, flags %v; want %v, %v", host, line["site"], line["flags"], want.site, want.flags)
		}
	}
}

// TestClientAddress: what a client claims in X-Forwarded-For is believed only as
// far as there are proxies in front that are trusted.
func TestClientAddress(t *testing.T) {
	for hops, want := range []string{"", "203.0.113.2", "203.0.113.1"} {
		t.Run(fmt.Sprint(hops), func(t *testing.T) { testClientAddress(t, hops, want) })
	}
}

// testClientAddress wants a client's address to be the claimed one, or if that is
// empty the one that its connection comes from.
func testClientAddress(t *testing.T, hops int, want string) {
	ctx := bounded(t, time.Minute)
	e := startEdge(t, ctx, newFolder(t, map[string]string{
		"docs.yaml": served("docs", "docs", "docs.example.com", startEcho(t).Address()),
	}), fmt.Sprintf("--trusted-hops=%d", hops))
	host, err := netns.NewHost(t, 1) // of a client on loopback Envoy tells the backend something else
	must(t, err)
	log := new(accessLog)
	p := e.startProxy(t, ctx, "envoy", proxyOptions{line: log.add, host: host})
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "echo"))
	seen := get(t, ctx, p.address, "docs.example.com", "/claimed", "X-Forwarded-For: 203.0.113.1, 203.0.113.2").seen(t)
	line, err := log.about(ctx, "/claimed")
	must(t, err)
	peer, ok := line["peer_address"].(string)
	if want == "" {
		want = peer
	}
	if !ok || peer != host.Gateway || line["remote_address"] != want {
		t.Errorf("the log says %v, behind %v; want %s behind %s", line["remote_address"], peer, want, host.Gateway)
	}
	if got := strings.ReplaceAll(strings.Join(seen.Header["X-Forwarded-For"], ","), " ", ""); got != "203.0.113.1,203.0.113.2,"+peer {
		t.Errorf("the backend saw %q", got)
	}
}

// TestSlow: a client that does not get on with its request is cut; a reader who
// takes long over a large file is not, whatever Envoy's own limit of 15 s for a
// response.
func TestSlow(t *testing.T) {
	const chunks, chunkSize = 17, 6 << 20 // 17 seconds, 100 MB
	ctx := bounded(t, time.Minute)
	pod, err := backend.Start(t, backend.Pod{Name: "pod", Address: net.JoinHostPort(netns.Addr(1), "0"), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, chunkSize)
		if r.URL.Path != "/large" {
			return
		}
		for range chunks {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			time.Sleep(time.Second) // the pace is what is tested
		}
	})})
	must(t, err)
	e := startEdge(t, ctx, newFolder(t, map[string]string{"docs.yaml": served("docs", "docs", "docs.example.com", pod.Address())}))
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "pod"))

	var together sync.WaitGroup
	defer together.Wait()
	together.Go(func() {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/large", nil)
		if err != nil {
			t.Error(err)
			return
		}
		request.Host = "docs.example.com"
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		n, err := io.Copy(io.Discard, response.Body)
		if err != nil || n != chunks*chunkSize {
			t.Errorf("the large file ended after %d of %d bytes: %v", n, chunks*chunkSize, err)
		}
	})
	together.Go(func() {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		defer stop()
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: docs.example.com\r\nX-Slow: ") //nolint:errcheck // the answer tells
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusRequestTimeout {
			t.Errorf("half a request was answered with %v, %v, want 408", response, err)
		}
	})
}

// TestServices: one Service for many sites, two ports of one Service, and endpoints
// that move, for which no route and no cluster is sent.
func TestServices(t *testing.T) {
	ctx := bounded(t, time.Minute)
	one, two, three := startPod(t, 1, "one"), startPod(t, 1, "two"), startPod(t, 2, "three")
	ports := fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: both, namespace: docs}
spec: {ports: [{name: a, port: 80}, {name: b, port: 81}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: both-1, namespace: docs, labels: {kubernetes.io/service-name: both}}
addressType: IPv4
ports: [{name: a, port: %s}, {name: b, port: %s}]
endpoints: [{addresses: [%s]}]
`, portOf(one), portOf(two), netns.Addr(1))
	var many []string
	for n := range 20 {
		many = append(many, siteYAML("docs", fmt.Sprintf("many-%d", n), domain(n), "shared", 80))
	}
	shared := serviceYAML("docs", "shared", 80)
	e := startEdge(t, ctx, newFolder(t, map[string]string{
		"ports.yaml":  ports,
		"a.yaml":      siteYAML("docs", "site-a", "a.example.com", "both", 80),
		"b.yaml":      siteYAML("docs", "site-b", "b.example.com", "both", 81),
		"many.yaml":   strings.Join(many, "---\n"),
		"shared.yaml": shared + "---\n" + sliceYAML("docs", "shared", one.Address()),
	}))
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "a.example.com", 200, "one"))
	must(t, awaitAnswer(ctx, p.address, "b.example.com", 200, "two"))
	must(t, answers(ctx, p, 0, len(many), "one"))

	before, err := e.counters(ctx)
	must(t, err)
	e.sites.put(t, "shared.yaml", shared, sliceYAML("docs", "shared", three.Address()))
	must(t, answers(ctx, p, 0, len(many), "three"))
	after, err := e.counters(ctx)
	must(t, err)
	for kind, want := range map[string]float64{"endpoint": 1, "cluster": 0, "scope": 0, "listener": 0} {
		series := fmt.Sprintf("staticsite_xds_resources_total{type=%q}", kind)
		if got := after[series] - before[series]; got != want {
			t.Errorf("endpoints moved, and %v of %s were sent, want %v", got, kind, want)
		}
	}
}
