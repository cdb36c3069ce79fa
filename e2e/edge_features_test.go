package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/netns"
)

// This file holds what docs/sites.md says of a site's features.

// responseHeaders is a site's spec.responseHeaders, behind its domain and backend.
const responseHeaders = `  responseHeaders:
    set:
    - {name: X-Frame-Options, value: DENY}
    - {name: Cache-Control, value: "public, max-age=600"}
    - {name: X-Percent, value: "100% %REQ(cookie)% %%"}
    add:
    - {name: Vary, value: Accept-Language}
    - {name: X-Added, value: by the site}
    remove: [Server, X-Powered-By]
`

// changed are the headers of each answer of such a site.
var changed = map[string]string{
	"X-Frame-Options": "DENY", "Cache-Control": "public, max-age=600", "X-Percent": "100% %REQ(cookie)% %%",
	"Vary": "Accept-Encoding,Accept-Language", "X-Added": "by the site", "Server": "", "X-Powered-By": "", "X-Fine": "yes",
}

var responsesWithHeaders = []exchange{
	{name: "GET", status: 200, headers: []string{"Cookie: secret"}, answer: changed},
	{name: "HEAD", method: "HEAD", status: 200, answer: changed},
	{name: "POST", method: "POST", headers: []string{"Content-Length: 0"}, status: 200, answer: changed},
	{name: "not found by the backend", path: "/404", status: 404, answer: changed},
	{name: "not modified", path: "/304", status: 304, answer: changed},
	{name: "a part", path: "/206", status: 206, answer: changed},
	{name: "a backend's error", path: "/500", status: 500, answer: changed},
	{name: "no backend", host: "none.example.com", status: 503, title: "Site unavailable", answer: map[string]string{
		"X-Frame-Options": "DENY", "X-Added": "by the site", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8"}},
	{name: "HEAD without a backend", method: "HEAD", host: "none.example.com", status: 503, answer: map[string]string{
		"X-Frame-Options": "DENY", "Cache-Control": "no-store"}},
	{name: "a site without", host: "plain.example.com", status: 200, answer: map[string]string{
		"X-Frame-Options": "SAMEORIGIN", "X-Added": "", "Server": "a backend", "X-Powered-By": "words", "Vary": "Accept-Encoding", "Cache-Control": "no-cache"}},
	{name: "no site", host: "nobody.example.com", status: 404, title: "Site not found", answer: map[string]string{"X-Frame-Options": "", "X-Added": ""}},
}

// TestResponseHeaders: in both layouts, over HTTP/1.1 and HTTP/2.
func TestResponseHeaders(t *testing.T) {
	pod, err := backend.Start(t, backend.Pod{Name: "pod", Address: net.JoinHostPort(netns.Addr(1), "0"), Handler: http.HandlerFunc(withManyStatuses)})
	must(t, err)
	for _, routes := range []string{"scoped", "single"} {
		t.Run(routes, func(t *testing.T) {
			ctx := bounded(t, time.Minute)
			e := startEdge(t, ctx, newFolder(t, map[string]string{
				"docs.yaml":  withSpec(served("docs", "docs", "docs.example.com", pod.Address()), responseHeaders),
				"plain.yaml": served("docs", "plain", "plain.example.com", pod.Address()),
				"none.yaml":  withSpec(siteYAML("docs", "none", "none.example.com", "none", 80)+"---\n"+serviceYAML("docs", "none", 80), responseHeaders),
			}), "--routes="+routes)
			p := e.startProxy(t, ctx, "envoy", proxyOptions{})
			must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "pod"))
			for _, x := range responsesWithHeaders {
				x.run(t, ctx, p.address)
			}
			// Envoy itself ignores case where it looks into a table.
			redirected := exchange{name: "upper case", host: "DOCS.example.com", status: 308,
				answer: map[string]string{"X-Added": map[string]string{"scoped": "", "single": "by the site"}[routes]}}
			redirected.run(t, ctx, p.address)
		})
	}
}

func withManyStatuses(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"Server": "a backend", "X-Powered-By": "words", "Vary": "Accept-Encoding", "Cache-Control": "no-cache", "X-Fine": "yes", "X-Frame-Options": "SAMEORIGIN",
	} {
		w.Header().Set(name, value)
	}
	switch r.URL.Path {
	case "/404", "/304", "/500":
		w.WriteHeader(map[string]int{"/404": 404, "/304": 304, "/500": 500}[r.URL.Path])
	case "/206":
		w.Header().Set("Content-Range", "bytes 0-0/2")
		w.WriteHeader(http.StatusPartialContent)
	}
}

// withSpec adds fields to the specification of the first of several objects.
func withSpec(objects, fields string) string {
	return strings.Replace(objects, "---\n", fields+"---\n", 1)
}
