package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/sync/errgroup"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/netns"
)

// This file holds what docs/edge.md says of requests and answers.

// An exchange is a request that a client sends, and what is to become of it. It is
// sent over HTTP/1.1 and over HTTP/2, but lines over HTTP/1 only.
type exchange struct {
	name string

	method     string   // empty: GET
	path, host string   // empty: /, docs.example.com
	scheme     string   // over HTTP/2; empty: http
	headers    []string // "Name: value"
	lines      []string // all of it instead, as it is sent

	status int
	answer map[string]string // headers of the answer; "" for one that it has not
	title  string            // of the page
	seen   map[string]string // what the backend saw: path, Host, headers; "" for one that it did not
}

// of is the URL's path that the backend saw, among the headers that it saw.
const of = "path"

func (x *exchange) run(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	if x.lines != nil {
		x.check(t, "HTTP/1", say(t, ctx, address, x.lines...))
		return
	}
	if x.method == "" {
		x.method = "GET"
	}
	if x.path == "" {
		x.path = "/"
	}
	if x.host == "" {
		x.host = "docs.example.com"
	}
	if x.scheme == "" {
		x.scheme = "http"
		x.check(t, "HTTP/1.1", say(t, ctx, address, append([]string{x.method + " " + x.path + " HTTP/1.1", "Host: " + x.host}, x.headers...)...))
	}
	fields := []hpack.HeaderField{{Name: ":method", Value: x.method}, {Name: ":scheme", Value: x.scheme}, {Name: ":authority", Value: x.host}, {Name: ":path", Value: x.path}}
	for _, h := range x.headers {
		name, value, _ := strings.Cut(h, ": ")
		fields = append(fields, hpack.HeaderField{Name: strings.ToLower(name), Value: value})
	}
	x.check(t, "HTTP/2", say2(t, ctx, address, fields))
}

func (x *exchange) check(t *testing.T, protocol string, got *reply) {
	t.Helper()
	where := protocol + " " + x.name
	if got.StatusCode != x.status || !strings.Contains(got.body, x.title) {
		t.Errorf("%s: status %d with %q, want %d and %q in it", where, got.StatusCode, got.body, x.status, x.title)
		return
	}
	for name, want := range x.answer {
		if value := strings.Join(got.Header.Values(name), ","); value != want {
			t.Errorf("%s: the answer has %s %q, want %q", where, name, value, want)
		}
	}
	if x.seen == nil {
		return
	}
	seen := got.seen(t)
	for name, want := range x.seen {
		value := strings.Join(seen.Header.Values(name), ",")
		switch name {
		case of:
			value = seen.Path
		case "Host":
			value = seen.Host
		}
		if value != want {
			t.Errorf("%s: the backend saw %s %q, want %q", where, name, value, want)
		}
	}
}

// say2 sends the fields of a request as they are, on an HTTP/2 connection of its own.
func say2(t *testing.T, ctx context.Context, address string, fields []hpack.HeaderField) *reply {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	must(t, err)
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	_, err = io.WriteString(conn, http2.ClientPreface)
	must(t, err)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	must(t, framer.WriteSettings())
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range fields {
		must(t, encoder.WriteField(f))
	}
	must(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true}))
	got := &reply{Response: &http.Response{Header: make(http.Header)}}
	for ended := false; !ended; {
		frame, err := framer.ReadFrame()
		must(t, err)
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range f.Fields {
				if field.Name == ":status" {
					got.StatusCode, err = strconv.Atoi(field.Value)
					must(t, err)
				}
				got.Header.Add(field.Name, field.Value)
			}
			got.Status, ended = fmt.Sprint(got.StatusCode), f.StreamEnded()
		case *http2.DataFrame:
			got.body, ended = got.body+string(f.Data()), f.StreamEnded()
		case *http2.SettingsFrame:
			if offered, _ := f.Value(http2.SettingEnableConnectProtocol); offered != 0 {
				t.Error("WebSockets over HTTP/2 are offered")
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			t.Fatalf("the request was answered with %v", f)
		}
	}
	return got
}

// requests are what becomes of requests when no flag says otherwise.
var requests = []exchange{
	// Paths: as they came, but for dots.
	{name: "a plain path", path: "/a/b?c=//d/../e", status: 200, seen: map[string]string{of: "/a/b?c=//d/../e"}},
	{name: "doubled slashes", path: "/entry/Proto://Type", status: 200, seen: map[string]string{of: "/entry/Proto://Type"}},
	{name: "slashes everywhere", path: "//a///b//", status: 200, seen: map[string]string{of: "//a///b//"}},
	{name: "an encoded slash", path: "/a%2Fb%2fc", status: 200, seen: map[string]string{of: "/a%2Fb%2fc"}},
	{name: "an encoded backslash", path: "/a%5Cb", status: 200, seen: map[string]string{of: "/a%5Cb"}},
	{name: "a backslash", path: `/a\b`, status: 200, seen: map[string]string{of: "/a/b"}},
	{name: "dots", path: "/a/./b/../c", status: 200, seen: map[string]string{of: "/a/c"}},
	{name: "dots between slashes", path: "/a//../b", status: 200, seen: map[string]string{of: "/a/b"}},
	{name: "encoded dots", path: "/a/%2e%2E/b", status: 200, seen: map[string]string{of: "/b"}},
	{name: "dots above the root", path: "/../../etc/passwd", status: 200, seen: map[string]string{of: "/etc/passwd"}},
	{name: "dots behind an encoded slash", path: "/a%2f..%2fb", status: 200, seen: map[string]string{of: "/a%2f..%2fb"}},
	{name: "letters that need no encoding", path: "/%7Euser/%41%2D%5F%2Eb", status: 200, seen: map[string]string{of: "/~user/A-_.b"}},
	{name: "letters that need it", path: "/a|b^{c}\"`<d>", status: 200, seen: map[string]string{of: "/a%7Cb%5E%7Bc%7D%22%60%3Cd%3E"}},
	{name: "other encodings", path: "/%c3%BC%3f%23%25/%252e%252e/;a='b'", status: 200, seen: map[string]string{of: "/%c3%BC%3f%23%25/%252e%252e/;a='b'"}},
	{name: "two hosts", lines: []string{"GET / HTTP/1.1", "Host: docs.example.com:80", "Host: evil.example.com"}, status: 400},

	// Hosts.
	{name: "a port", host: "docs.example.com:8080", status: 200, seen: map[string]string{"Host": "docs.example.com:8080", "X-Forwarded-Host": "docs.example.com:8080"}},
	{name: "the scheme's port", host: "docs.example.com:80", status: 200, seen: map[string]string{"Host": "docs.example.com:80"}},
	{name: "no port", status: 200, seen: map[string]string{"Host": "docs.example.com", "X-Forwarded-Host": "docs.example.com", "X-Forwarded-Port": ""}},
	{name: "a dot at the end", host: "docs.example.com.", status: 200, seen: map[string]string{"Host": "docs.example.com"}},
	{name: "a dot and a port", host: "docs.example.com.:8080", status: 200, seen: map[string]string{"Host": "docs.example.com:8080"}},
	{name: "no number as a port", host: "docs.example.com:x", status: 400},
	{name: "a host as a port", lines: []string{"GET / HTTP/1.1", "Host: docs.example.com:x@evil.example.com"}, status: 400}, // HTTP/2 has no such host
	{name: "two ports", host: "docs.example.com:80:80", status: 400},
	{name: "a large number as a port", host: "docs.example.com:100000", status: 400},
	{name: "upper case and no number", host: "Docs.example.com:x.evil.example.com", status: 400},
	{name: "an IPv6 address", host: "[::1]:8080", status: 404, title: "Site not found"},
	{name: "upper case", host: "Docs.Example.COM", path: "/Some/Path?Q=A%2Fb&x=%20Y", status: 308,
		answer: map[string]string{"Location": "http://docs.example.com/Some/Path?Q=A%2Fb&x=%20Y"}},
	{name: "upper case and a port", host: "DOCS.example.com.:8080", path: "//a", status: 308, answer: map[string]string{"Location": "http://docs.example.com:8080//a"}},
	{name: "an absolute URL", lines: []string{"GET http://docs.example.com:81/a HTTP/1.1", "Host: other.example.com"}, status: 200,
		seen: map[string]string{of: "/a", "Host": "docs.example.com:81", "X-Forwarded-Host": "docs.example.com:81"}},

	// Schemes, which over HTTP/2 are the client's to write.
	{name: "another scheme in a redirect", host: "DOCS.example.com", scheme: "javascript", status: 308, answer: map[string]string{"Location": "http://docs.example.com/"}},
	{name: "https in a redirect", host: "DOCS.example.com", scheme: "https", status: 308, answer: map[string]string{"Location": "http://docs.example.com/"}},
	{name: "another scheme", scheme: "file", status: 200, seen: map[string]string{"X-Forwarded-Proto": "http"}},

	// HTTP/1.0.
	{name: "HTTP/1.0", lines: []string{"GET /old HTTP/1.0", "Host: docs.example.com"}, status: 200, seen: map[string]string{of: "/old"}},
	{name: "HTTP/1.0 without a host", lines: []string{"GET / HTTP/1.0"}, status: 404, title: "Site not found", answer: map[string]string{"Cache-Control": "no-store"}},
	{name: "a balancer's OPTIONS", lines: []string{"OPTIONS / HTTP/1.0"}, status: 404, title: "Site not found"},
	{name: "HTTP/1.1 without a host", lines: []string{"GET / HTTP/1.1"}, status: 400},
	{name: "HTTP/1.1 with an empty host", lines: []string{"GET / HTTP/1.1", "Host: "}, status: 404, title: "Site not found"},

	// Upgrades that clients offer with ordinary requests.
	{name: "TLS", lines: upgrade("TLS/1.2"), status: 200, seen: map[string]string{of: "/up", "Upgrade": "", "Connection": ""}},
	{name: "HTTP/2", lines: append(upgrade("h2c"), "HTTP2-Settings: AAMAAABkAAQAAP__"), status: 200, seen: map[string]string{of: "/up", "Upgrade": ""}},
	{name: "several", lines: upgrade("TLS/1.3, h2c, IRC/6.9"), status: 200, seen: map[string]string{of: "/up", "Upgrade": ""}},
	{name: "twice", lines: append(upgrade("TLS/1.2"), "Upgrade: foo"), status: 200, seen: map[string]string{of: "/up", "Upgrade": ""}},
	{name: "almost a WebSocket", lines: upgrade("websockets"), status: 200, seen: map[string]string{of: "/up", "Upgrade": ""}},

	{name: "a WebSocket that the backend does not take", lines: upgrade("websocket"), status: 200, answer: map[string]string{"Content-Length": "0"}},

	// What a client may not say, and what is said instead.
	{name: "claims", headers: []string{
		"Forwarded: for=203.0.113.9;host=evil.example.com", "X-Forwarded: 1", "X-Original-Forwarded-For: 203.0.113.9", "X-Real-IP: 203.0.113.9", "Client-IP: 203.0.113.9",
		"X-Client-IP: 203.0.113.9", "X-Cluster-Client-IP: 203.0.113.9", "X-Host: evil.example.com", "X-Original-Host: evil.example.com", "X-Original-URL: /admin",
		"X-Rewrite-URL: /admin", "X-Scheme: https", "X-Url-Scheme: https", "Front-End-Https: on", "Proxy: http://evil.example.com",
		"X-Forwarded-Host: evil.example.com", "X-Forwarded-Port: 1", "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /evil", "X-Forwarded-Server: evil", "X-Forwarded-Ssl: on",
		"X-Forwarded-User: root", "X-Forwarded-Fors: 1", "X-Forwarded-Protocol: https",
		"X-Fine: yes", "x_forwarded_for: 203.0.113.9",
	}, status: 200, seen: map[string]string{
		"Forwarded": "", "X-Forwarded": "", "X-Original-Forwarded-For": "", "X-Real-Ip": "", "Client-Ip": "",
		"X-Client-Ip": "", "X-Cluster-Client-Ip": "", "X-Host": "", "X-Original-Host": "", "X-Original-Url": "",
		"X-Rewrite-Url": "", "X-Scheme": "", "X-Url-Scheme": "", "Front-End-Https": "", "Proxy": "",
		"X-Forwarded-Host": "docs.example.com", "X-Forwarded-Port": "", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "", "X-Forwarded-Server": "", "X-Forwarded-Ssl": "",
		"X-Forwarded-User": "", "X-Forwarded-Fors": "", "X-Forwarded-Protocol": "",
		"X-Fine": "yes", "X_forwarded_for": "",
	}},
	{name: "what proxies say to each other", headers: []string{
		"x-envoy-peer-metadata: CgA=", "x-envoy-peer-metadata-id: router", "x-envoy-original-path: /forged", "x-envoy-external-address: 203.0.113.9", "x-envoy-internal: true",
		"x-envoy-max-retries: 9", "x-envoy-retry-on: 5xx", "x-envoy-upstream-rq-timeout-ms: 1", "x-envoy-anything: 1", "x-edge-path: /forged",
	}, path: "/fail", status: 500, seen: map[string]string{
		of: "/fail", "X-Envoy-Peer-Metadata": "", "X-Envoy-Peer-Metadata-Id": "", "X-Envoy-Original-Path": "", "X-Envoy-External-Address": "127.0.0.1", "X-Envoy-Internal": "",
		"X-Envoy-Max-Retries": "", "X-Envoy-Retry-On": "", "X-Envoy-Upstream-Rq-Timeout-Ms": "", "X-Envoy-Anything": "", "X-Edge-Path": "",
	}},
	{name: "what a backend's proxy says", path: "/proxied", status: 200, answer: map[string]string{
		"X-Envoy-Upstream-Service-Time": "", "X-Envoy-Peer-Metadata": "", "X-Envoy-Decorator-Operation": "", "X-Edge-Path": "", "X-Fine": "yes", "Server": "a backend",
	}},

	// More headers than Envoy takes by itself.
	{name: "many headers", path: "/many?150", status: 200, answer: map[string]string{"X-Header-149": "149"}},
	{name: "too many headers", path: "/many?1001", status: 502, title: "Site unavailable"},
	{name: "many headers in a request", lines: append([]string{"GET / HTTP/1.1", "Host: docs.example.com"}, many(110)...), status: 431},
	{name: "large headers in a request", lines: []string{"GET / HTTP/1.1", "Host: docs.example.com", "Cookie: " + strings.Repeat("c", 61<<10)}, status: 431},

	// Passes.
	{name: "the first pass", status: 200, seen: map[string]string{"Cdn-Loop": "ssg-edge"}},
	{name: "a pass behind others", headers: []string{"CDN-Loop: foo.cdn.example; a=1", "CDN-Loop: ssg-edge"}, status: 200, seen: map[string]string{"Cdn-Loop": "foo.cdn.example; a=1,ssg-edge,ssg-edge"}},
	{name: "the last pass", headers: []string{"CDN-Loop: ssg-edge, ssg-edge,ssg-edge"}, status: 200, seen: map[string]string{"Cdn-Loop": "ssg-edge, ssg-edge,ssg-edge,ssg-edge"}},
	{name: "a pass too many", headers: []string{"CDN-Loop: ssg-edge, ssg-edge", "CDN-Loop: ssg-edge, ssg-edge"}, status: 508, title: "Site unavailable",
		answer: map[string]string{"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8"}},
}

func upgrade(to string) []string {
	return []string{"GET /up HTTP/1.1", "Host: docs.example.com", "Connection: Upgrade", "Upgrade: " + to}
}

// many are n headers.
func many(n int) (headers []string) {
	for i := range n {
		headers = append(headers, fmt.Sprintf("X-Header-%d: %d", i, i))
	}
	return headers
}

// startRequests starts a server with flags, a proxy, and backends for what requests
// ask for: docs, a site that leads to the edge itself, and one without endpoints.
func startRequests(t *testing.T, ctx context.Context, flags ...string) *proxy {
	t.Helper()
	e := startEdge(t, ctx, newFolder(t, map[string]string{
		"docs.yaml": served("docs", "docs", "docs.example.com", startEcho(t).Address()),
		"loop.yaml": served("docs", "loop", "loop.example.com", net.JoinHostPort(netns.Addr(2), strconv.Itoa(httpPort))),
		"none.yaml": siteYAML("docs", "none", "none.example.com", "none", 80) + "---\n" + serviceYAML("docs", "none", 80),
	}), flags...)
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "echo"))
	return p
}

// TestRequests is what becomes of requests, in both layouts.
func TestRequests(t *testing.T) {
	for _, routes := range []string{"scoped", "single"} {
		t.Run(routes, func(t *testing.T) {
			ctx := bounded(t, time.Minute)
			p := startRequests(t, ctx, "--routes="+routes)
			for _, x := range requests {
				x.run(t, ctx, p.address)
			}
			t.Run("loop", func(t *testing.T) { testLoop(t, ctx, p) })
			t.Run("WebSocket", func(t *testing.T) { testWebSocket(t, ctx, p) })
		})
	}
}

// TestRequestsByFlags is what becomes of them when flags say so.
func TestRequestsByFlags(t *testing.T) {
	for _, test := range []struct {
		flags     string
		exchanges []exchange
	}{
		{"--merge-slashes", []exchange{
			{name: "doubled slashes", path: "//a///b?c=//", status: 200, seen: map[string]string{of: "/a/b?c=//"}},
			{name: "an encoded slash", path: "/a%2fb?c=%2F", status: 307, answer: map[string]string{"Location": "/a/b?c=%2F"}},
			{name: "an encoded backslash", path: `/a%5Cb`, status: 307, answer: map[string]string{"Location": "/a/b"}},
		}},
		{"--public-scheme=https --public-port=8443", []exchange{
			{name: "TLS in front", host: "docs.example.com:8443", headers: []string{"X-Forwarded-Proto: http", "X-Forwarded-Port: 1"}, status: 200,
				seen: map[string]string{"Host": "docs.example.com:8443", "X-Forwarded-Host": "docs.example.com:8443", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443"}},
			{name: "a redirect", host: "Docs.example.com:8443", path: "/a", status: 308, answer: map[string]string{"Location": "https://docs.example.com:8443/a"}},
			{name: "a redirect from another scheme", host: "Docs.example.com", scheme: "javascript", status: 308, answer: map[string]string{"Location": "https://docs.example.com/"}},
		}},
		{"--trusted-hops=1", []exchange{
			{name: "what the hop says", headers: []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Port: 8443", "X-Forwarded-User: ann"}, status: 200,
				seen: map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443", "X-Forwarded-User": "ann", "X-Envoy-External-Address": "203.0.113.9"}},
			{name: "what it hands on", headers: []string{"Forwarded: host=evil.example.com", "X-Real-IP: 203.0.113.9", "X-Forwarded-Host: evil.example.com", "x-envoy-peer-metadata: CgA="}, status: 200,
				seen: map[string]string{"Forwarded": "", "X-Real-Ip": "", "X-Forwarded-Host": "docs.example.com", "X-Envoy-Peer-Metadata": ""}},
			{name: "a redirect", host: "Docs.example.com", headers: []string{"X-Forwarded-Proto: https"}, status: 308, answer: map[string]string{"Location": "https://docs.example.com/"}},
			{name: "a redirect from another scheme", host: "Docs.example.com", headers: []string{"X-Forwarded-Proto: javascript"}, scheme: "javascript", status: 308,
				answer: map[string]string{"Location": "http://docs.example.com/"}},
		}},
		{"--trusted-hops=1 --public-scheme=https --public-port=443", []exchange{
			{name: "a hop before TLS ends", headers: []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http", "X-Forwarded-Port: 80"}, status: 200,
				seen: map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443", "X-Envoy-External-Address": "203.0.113.9"}},
		}},
	} {
		t.Run(test.flags, func(t *testing.T) {
			ctx := bounded(t, time.Minute)
			p := startRequests(t, ctx, strings.Fields(test.flags)...)
			for _, x := range test.exchanges {
				x.run(t, ctx, p.address)
			}
		})
	}
}

// testLoop: a site whose endpoint is the edge costs a few requests, not what fits
// into a minute.
func testLoop(t *testing.T, ctx context.Context, p *proxy) {
	const total = "http.edge.downstream_rq_total"
	before, err := p.Stat(ctx, total)
	must(t, err)
	got := get(t, ctx, p.address, "loop.example.com", "/")
	if got.StatusCode != http.StatusLoopDetected || !strings.Contains(got.body, "Site unavailable") {
		t.Errorf("%s %s", got.Status, got.body)
	}
	after, err := p.Stat(ctx, total)
	must(t, err)
	if after-before != 5 {
		t.Errorf("one request became %d, want 5", after-before)
	}
}

// testWebSocket: previews that reload themselves. Where no backend can take it, the
// answer is the one that a page would get.
func testWebSocket(t *testing.T, ctx context.Context, p *proxy) {
	for host, want := range map[string]int{"none.example.com": 503, "unknown.example.com": 404, "DOCS.example.com": 308} {
		if got := get(t, ctx, p.address, host, "/"); got.StatusCode != want {
			t.Errorf("%s: a page has %s, want %d", host, got.Status, want)
		}
		conn, response := shake(t, ctx, p.address, handshake(host))
		if response.StatusCode != want {
			t.Errorf("%s: a WebSocket has %s, want %d", host, response.Status, want)
		}
		conn.Close()
	}

	conn, response := shake(t, ctx, p.address, handshake("docs.example.com:8080"))
	defer conn.Close()
	if response.StatusCode != http.StatusSwitchingProtocols || !strings.EqualFold(response.Header.Get("Upgrade"), "websocket") ||
		response.Header.Get("Sec-Websocket-Accept") != "accepted" {
		t.Fatalf("%s %v", response.Status, response.Header)
	}
	for _, text := range []string{"ping", "and again"} {
		_, err := io.WriteString(conn, text)
		must(t, err)
		got := make([]byte, len(text))
		_, err = io.ReadFull(conn, got)
		must(t, err)
		if string(got) != strings.ToUpper(text) {
			t.Errorf("%q was answered with %q", text, got)
		}
	}
}

func handshake(host string) []string {
	return []string{"GET /socket HTTP/1.1", "Host: " + host, "Connection: keep-alive, Upgrade", "Upgrade: WebSocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
}

// shake sends a handshake and reads its answer. The connection goes on.
func shake(t *testing.T, ctx context.Context, address string, lines []string) (net.Conn, *http.Response) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	must(t, err)
	context.AfterFunc(ctx, func() { conn.Close() })
	_, err = io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	must(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	return conn, response
}

// shout takes a WebSocket and answers with upper case. (Frames are between the ends:
// a proxy passes bytes.)
func shout(w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: accepted\r\n\r\n") //nolint:errcheck // the client sees it
	for {
		b, err := buffered.ReadByte()
		if err != nil {
			return
		}
		conn.Write(bytes.ToUpper([]byte{b})) //nolint:errcheck // the client sees it
	}
}

// TestLongRequests: an upload that moves is not cut, however long it takes; what
// stands still is, be it an upload or a WebSocket.
func TestLongRequests(t *testing.T) {
	const beats = 14 // of 5 seconds: beyond a minute
	ctx := bounded(t, 3*time.Minute)
	pod, err := backend.Start(t, backend.Pod{Name: "pod", Address: net.JoinHostPort(netns.Addr(1), "0"), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/socket" {
			shout(w)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})})
	must(t, err)
	e := startEdge(t, ctx, newFolder(t, map[string]string{"docs.yaml": served("docs", "docs", "docs.example.com", pod.Address())}))
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "pod"))

	upload := func(beats int) (*http.Response, string, error) {
		body, to := io.Pipe()
		defer body.Close()
		go func() {
			for range beats {
				if _, err := to.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(5 * time.Second) // the pace is what is tested
			}
			if beats > 1 {
				to.Close()
			}
		}()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.address+"/", body)
		if err != nil {
			return nil, "", err
		}
		request.Host = "docs.example.com"
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return nil, "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return response, string(text), err
	}
	var together errgroup.Group
	together.Go(func() error {
		response, text, err := upload(beats)
		if err != nil || response.StatusCode != 200 || text != fmt.Sprint(beats, nil) {
			return fmt.Errorf("the slow upload was answered with %v %q, %w", response, text, err)
		}
		return nil
	})
	together.Go(func() error {
		response, text, err := upload(1)
		if err != nil || response.StatusCode != http.StatusRequestTimeout {
			return fmt.Errorf("the upload that stands still was answered with %v %q, %w", response, text, err)
		}
		return nil
	})
	conn, response := shake(t, ctx, p.address, handshake("docs.example.com"))
	defer conn.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("the WebSocket was answered with %v", response)
	}
	together.Go(func() error {
		if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
			return fmt.Errorf("the WebSocket that stands still ended with %d bytes, %w", n, err)
		}
		return nil
	})
	must(t, together.Wait())
}
