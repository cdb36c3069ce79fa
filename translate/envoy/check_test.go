package envoy

import (
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/object"
)

// What Envoy would refuse, and the generated validators let pass.
func TestWhatEnvoyRefusesIsForeseen(t *testing.T) {
	header := func(name, value string) []*corev3.HeaderValueOption {
		return []*corev3.HeaderValueOption{{Header: &corev3.HeaderValue{Key: name, Value: value}}}
	}
	for want, spoil := range map[string]func(*routev3.VirtualHost){
		"the domain":            func(h *routev3.VirtualHost) { h.Domains = []string{"docs.example.com", "DOCS.example.com"} },
		"make it smaller":       func(h *routev3.VirtualHost) { h.Routes[0].Name = strings.Repeat("x", maxSiteBytes) },
		`":path" cannot be set`: func(h *routev3.VirtualHost) { h.RequestHeadersToAdd = header(":path", "/") },
		`"Host" cannot be set`:  func(h *routev3.VirtualHost) { h.Routes[0].RequestHeadersToAdd = header("Host", "a") },
		"write %%":              func(h *routev3.VirtualHost) { h.Routes[0].ResponseHeadersToAdd = header("a", "%REQ(cookie)%") },
		"HeaderValue.Value":     func(h *routev3.VirtualHost) { h.ResponseHeadersToAdd = header("a", "b\r\nc: d") },
		"HeaderValue.Key":       func(h *routev3.VirtualHost) { h.ResponseHeadersToAdd = header("a\nb", "c") },
		"VirtualHost.Name":      func(h *routev3.VirtualHost) { h.Name = "" },
	} {
		host := VirtualHost(object.Key{Namespace: "docs", Name: "main"}, EveryDomain, "docs_web_80_cluster")
		for _, m := range []Message{host, Scope("docs.example.com", host)} { // of either layout
			host.Reset()
			proto.Merge(host, VirtualHost(object.Key{Namespace: "docs", Name: "main"}, EveryDomain, "docs_web_80_cluster"))
			host.ResponseHeadersToAdd = header("a", "100%%")
			if err := Check(m); err != nil {
				t.Fatal(err)
			}
			spoil(host)
			if err := Check(m); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q: %v", want, err)
			}
		}
	}
}
