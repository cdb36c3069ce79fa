package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// speaking is served with an appProtocol at the Service's port, and another at its
// slice's.
func speaking(name, endpoint, service, slice string) string {
	text := served("docs", name, name+".example.com", endpoint)
	at := strings.Index(text, "kind: EndpointSlice")
	with := func(text, appProtocol string) string {
		if appProtocol == "" {
			return text
		}
		return strings.Replace(text, "ports: [{", "ports: [{appProtocol: "+appProtocol+", ", 1)
	}
	return with(text[:at], service) + with(text[at:], slice)
}

// TestBackendProtocols: a proxy speaks to a port what its appProtocol says; where
// it cannot, the site's owner is told.
func TestBackendProtocols(t *testing.T) {
	ctx := bounded(t, time.Minute)
	modern, err := backend.Start(t, backend.Pod{Name: "modern", Address: net.JoinHostPort(netns.Addr(1), "0"), HTTP2: true})
	must(t, err)
	for _, upstreams := range []string{"endpoints", "dns"} {
		t.Run(upstreams, func(t *testing.T) {
			sites := newFolder(t, map[string]string{
				"none.yaml":   speaking("none", modern.Address(), "", ""),
				"h2c.yaml":    speaking("h2c", modern.Address(), "kubernetes.io/h2c", ""),
				"grpc.yaml":   speaking("grpc", modern.Address(), "grpc", "https"),
				"vendor.yaml": speaking("vendor", modern.Address(), "example.com/own", ""),
				"tls.yaml":    speaking("tls", modern.Address(), "https", ""),
				"1digit.yaml": speaking("1digit", modern.Address(), "h2c", ""),
			})
			names := startNameServer(t)
			for _, name := range []string{"none", "h2c", "grpc", "vendor", "tls", "1digit"} {
				names.add(name, "docs", netns.Addr(1))
			}
			e := startEdge(t, ctx, sites, "--upstreams="+upstreams)
			defer e.Kill9()
			p := e.startProxy(t, ctx, "envoy", proxyOptions{resolver: names.address()})
			for _, name := range []string{"h2c", "grpc", "1digit"} {
				must(t, awaitAnswer(ctx, p.address, name+".example.com", 200, "modern"))
			}
			must(t, e.awaitComplaint(ctx, 0, complaint{"site has a problem", "StaticSite docs/tls",
				[]string{"spec.backend.servicePort", "appProtocol \"https\"", "which is TLS", "write one that speaks HTTP/1.1"}}))
			must(t, awaitAnswer(ctx, p.address, "tls.example.com", 503, ""))
			for _, name := range []string{"none", "vendor"} { // The pod speaks nothing but HTTP/2.
				got, err := ask(ctx, p.address, name+".example.com")
				must(t, err)
				if got.Status < 400 || got.Status == 404 || got.Pod != "" {
					t.Errorf("%s, to which HTTP/1.1 is spoken, answers %+v", name, got)
				}
			}
			if upstreams == "endpoints" {
				e.sites.put(t, "none.yaml", speaking("none", modern.Address(), "", "kubernetes.io/h2c"))
				must(t, awaitAnswer(ctx, p.address, "none.example.com", 200, "modern"))
				e.sites.put(t, "none.yaml", speaking("none", modern.Address(), "", "https"))
				must(t, e.awaitComplaint(ctx, 0, complaint{"site has a problem", "StaticSite docs/none", []string{"spec.backend.servicePort", "which is TLS"}}))
				must(t, awaitAnswer(ctx, p.address, "none.example.com", 503, ""))
			}
		})
	}
}

// TestProtocolChangesUnderTraffic: a Service says what its pods speak, which they
// did before: no reader notices.
func TestProtocolChangesUnderTraffic(t *testing.T) {
	ctx := bounded(t, time.Minute)
	both := startPod(t, 1, "both") // HTTP/1.1 and HTTP/2
	e := startEdge(t, ctx, newFolder(t, map[string]string{"both.yaml": speaking("both", both.Address(), "", "")}))
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "both.example.com", 200, "both"))
	load := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"both.example.com"}, Rate: 200})
	defer load.Stop()
	for n, appProtocol := range []string{"h2c", "http", "kubernetes.io/h2c", ""} {
		// A site that comes with the change shows when the proxy has it.
		after := fmt.Sprintf("after-%d", n)
		e.sites.put(t, "both.yaml", speaking("both", both.Address(), appProtocol, ""), served("docs", after, after+".example.com", both.Address()))
		must(t, awaitAnswer(ctx, p.address, after+".example.com", 200, "both"))
	}
	must(t, undisturbed(t, load))
}

// TestHeadlessBehindDNS: the name of a headless Service leads to its pods, whose
// port is the target port.
func TestHeadlessBehindDNS(t *testing.T) {
	ctx := bounded(t, time.Minute)
	pod := startPod(t, 1, "pod")
	_, port, err := net.SplitHostPort(pod.Address())
	must(t, err)
	headless := func(name, target string) string {
		return siteYAML("docs", name, name+".example.com", name, 80) + "---\n" +
			strings.Replace(serviceYAML("docs", name, "80, targetPort: "+target), "spec: {", "spec: {clusterIP: None, ", 1)
	}
	e := startEdge(t, ctx, newFolder(t, map[string]string{"number.yaml": headless("number", port), "named.yaml": headless("named", "http")}), "--upstreams=dns")
	names := startNameServer(t)
	names.add("number", "docs", netns.Addr(1))
	names.add("named", "docs", netns.Addr(1))
	p := e.startProxy(t, ctx, "envoy", proxyOptions{resolver: names.address()})
	must(t, awaitAnswer(ctx, p.address, "number.example.com", 200, "pod"))
	must(t, e.awaitComplaint(ctx, 0, complaint{"site has a problem", "StaticSite docs/named",
		[]string{"spec.backend.servicePort", "Service docs/named is headless", "write the number of that port as targetPort"}}))
	e.sites.put(t, "named.yaml", headless("named", port))
	must(t, awaitAnswer(ctx, p.address, "named.example.com", 200, "pod"))
}

// TestLastPodsThatAreAboutToEnd: they answer until one is ready, as kube-proxy has
// it. A port without a number takes nothing from the rest of its slice.
func TestLastPodsThatAreAboutToEnd(t *testing.T) {
	ctx := bounded(t, time.Minute)
	ending, other := startPod(t, 1, "ending"), startPod(t, 2, "next")
	text := func(endpoints string) string {
		site := served("docs", "one", "one.example.com", ending.Address())
		return site[:strings.Index(site, "endpoints: ")] + "endpoints: [" + endpoints + "]\n"
	}
	const about = "conditions: {ready: false, serving: true, terminating: true}"
	last := fmt.Sprintf("{addresses: [%s], %s}", netns.Addr(1), about)
	e := startEdge(t, ctx, newFolder(t, map[string]string{
		"one.yaml": strings.Replace(text(last), "\nports: [{", "\nports: [{name: all}, {", 1),
	}))
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "one.example.com", 200, "ending"))

	_, port, err := net.SplitHostPort(other.Address())
	must(t, err)
	next := strings.NewReplacer("one-1", "one-2", netns.Addr(1), netns.Addr(2)).Replace(sliceYAML("docs", "one", net.JoinHostPort(netns.Addr(1), port)))
	e.sites.put(t, "two.yaml", next)
	must(t, awaitAnswer(ctx, p.address, "one.example.com", 200, "next"))
	// None is ready, and the last one does not answer any more.
	e.sites.remove(t, "two.yaml")
	must(t, awaitAnswer(ctx, p.address, "one.example.com", 200, "ending"))
	e.sites.put(t, "one.yaml", text(strings.Replace(last, "serving: true", "serving: false", 1)))
	must(t, awaitAnswer(ctx, p.address, "one.example.com", 503, ""))
}
