package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"my-company.com/staticsite-operator/e2e/traffic"
)

// A mistake is a site that somebody applies with something wrong in it.
type mistake struct {
	name string
	spec string // of a StaticSite; empty: it is about something else
	also string // another document

	refused []string // what the API server says; nil: it takes it
	verdict verdict  // what the status says then
	says    []string // and the message of the condition that is False
}

func testBadInput(t *testing.T, ctx context.Context, c *installation, r *replica, p *proxy) {
	c.live(t, ctx, p, "bad", "bystander", "bystander.bad.example.com")
	c.live(t, ctx, p, "bad", "edited", "edited.bad.example.com")
	_, err := c.awaitVerdict(ctx, "bad", "edited", good)
	must(t, err)

	// Odd, and right: a Service's name that begins with a digit, and ports of slices
	// without a number.
	c.live(t, ctx, p, "bad", "1odd", "odd.bad.example.com")
	next := startPod(t, 2, "1odd-2")
	must(t, c.apply(ctx, strings.Replace(sliceYAML("bad", "1odd", next.Address()), "\nports: [{", "\nports: [{name: all}, {", 1)))
	must(t, awaitAnswer(ctx, p.address, "odd.bad.example.com", http.StatusOK, "1odd-2"))

	for i, m := range mistakes() {
		t.Run(m.name, func(t *testing.T) {
			name, text := fmt.Sprintf("site-%d", i), m.also
			if m.spec != "" {
				text += fmt.Sprintf("---\napiVersion: platform.my-company.com/v1alpha1\nkind: StaticSite\nmetadata: {name: %s, namespace: bad}\nspec: %s\n", name, m.spec)
			}
			if m.refused != nil {
				_, err := c.kubectl(ctx, text, "apply", "-f", "-")
				if err == nil {
					t.Fatal("the API server takes it")
				}
				says(t, err.Error(), m.refused...)
				return
			}
			must(t, c.apply(ctx, text))
			site, err := c.awaitVerdict(ctx, "bad", name, m.verdict)
			must(t, err)
			typ := "ResolvedRefs"
			if strings.HasPrefix(m.verdict.Accepted, "False") {
				typ = "Accepted"
			}
			says(t, message(site, typ), m.says...)
			if site.Status.Message != message(site, typ) || site.Status.Phase != "Error" {
				t.Errorf("phase %s, message %q", site.Status.Phase, site.Status.Message)
			}
			must(t, c.Delete(ctx, ref("bad", name)))
		})
	}

	// A good site that is edited into a bad one stays as it was.
	must(t, c.apply(ctx, siteYAML("bad", "edited", `"*.bad.example.com"`, "edited", 80)))
	site, err := c.awaitVerdict(ctx, "bad", "edited", invalid("InvalidDomain"))
	must(t, err)
	says(t, site.Status.Message, "wildcard")
	for _, name := range []string{"bystander", "edited"} {
		got, err := ask(ctx, p.address, name+".bad.example.com")
		must(t, err)
		if got.Status != http.StatusOK || got.Pod != name+"-1" {
			t.Errorf("%s is not served any more: %+v", name, got)
		}
	}
	// A server that starts now does not know how it was. The proxy does, and keeps it,
	// with the cluster, longer than a server waits to hear what its proxies have (5 s).
	load := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{"edited.bad.example.com"}, Rate: 100})
	defer load.Stop()
	must(t, r.Restart(ctx))
	c.live(t, ctx, p, "bad", "later", "later.bad.example.com")
	must(t, load.WaitSent(ctx, 700))
	if err := load.Stop().Err(); err != nil {
		t.Error(err)
	}
	rejected, err := p.Stats(ctx, `(cds|lds|scoped_rds\..*)\.update_rejected$`)
	must(t, err)
	for name, n := range rejected {
		if n > 0 {
			t.Errorf("%s: %d", name, n)
		}
	}
}

// invalid is the verdict on a specification that is refused by itself.
func invalid(reason string) verdict {
	return verdict{"False " + reason, "True ResolvedRefs", "False NotSent", "False NotReady"}
}

// unresolved is the verdict on a good specification whose backend is not good.
func unresolved(reason string) verdict {
	return verdict{"True Accepted", "False " + reason, "True Programmed", "False NotReady"}
}

func mistakes() []mistake {
	site := func(domain, service string, port any) string {
		return fmt.Sprintf("{domain: %s, backend: {serviceName: %s, servicePort: %v}}", domain, service, port)
	}
	const backend = "backend: {serviceName: bystander, servicePort: 80}"
	headers := func(changes string) string {
		return "{domain: a.example.com, " + backend + ", responseHeaders: " + changes + "}"
	}
	all := []mistake{
		// What the schema refuses, kubectl shows in the API server's words.
		{name: "not YAML", also: "spec: {domain: [\n", refused: []string{"error parsing"}},
		{name: "unknown kind", also: "{apiVersion: platform.my-company.com/v1alpha1, kind: StaticSit, metadata: {name: site, namespace: bad}}\n",
			refused: []string{`no matches for kind "StaticSit"`}},
		{name: "unknown field", spec: "{domain: a.example.com, domian: b.example.com, " + backend + "}",
			refused: []string{`unknown field "spec.domian"`}},
		{name: "no specification", also: "{apiVersion: platform.my-company.com/v1alpha1, kind: StaticSite, metadata: {name: site, namespace: bad}}\n",
			refused: []string{"spec: Required value"}},
		{name: "no domain", spec: "{" + backend + "}", refused: []string{"spec.domain: Required value"}},
		{name: "no backend", spec: "{domain: a.example.com}", refused: []string{"spec.backend: Required value"}},
		{name: "no service name", spec: "{domain: a.example.com, backend: {servicePort: 80}}",
			refused: []string{"spec.backend.serviceName: Required value"}},
		{name: "no port", spec: "{domain: a.example.com, backend: {serviceName: bystander}}",
			refused: []string{"spec.backend.servicePort: Required value"}},
		{name: "domain too short", spec: site("a.b", "bystander", 80), refused: []string{"spec.domain", "at least 4"}},
		{name: "domain too long", spec: site(strings.Repeat("a.", 130)+"example.com", "bystander", 80), refused: []string{"spec.domain", "253"}},
		{name: "service name too long", spec: site("a.example.com", strings.Repeat("a", 64), 80), refused: []string{"spec.backend.serviceName", "63"}},
		{name: "service name empty", spec: site("a.example.com", `""`, 80), refused: []string{"spec.backend.serviceName", "at least 1"}},
		{name: "port 0", spec: site("a.example.com", "bystander", 0), refused: []string{"spec.backend.servicePort", "greater than or equal to 1"}},
		{name: "port 65536", spec: site("a.example.com", "bystander", 65536), refused: []string{"spec.backend.servicePort", "less than or equal to 65535"}},
		{name: "port as text", spec: site("a.example.com", "bystander", `"80"`), refused: []string{"spec.backend.servicePort", "must be of type integer"}},
		{name: "loopback endpoint", also: sliceYAML("bad", "loopback", "127.0.0.1:80"), refused: []string{"endpoints[0].addresses[0]", "loopback"}},
		{name: "link-local endpoint", also: sliceYAML("bad", "link-local", "169.254.169.254:80"), refused: []string{"endpoints[0].addresses[0]", "link-local"}},

		{name: "many headers", spec: headers("{remove: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}"), refused: []string{"spec.responseHeaders.remove", "at most 16"}},
		{name: "a header twice", spec: headers("{set: [{name: X-A, value: a}, {name: X-A, value: b}]}"), refused: []string{"spec.responseHeaders.set[1]", "Duplicate value"}},
		{name: "a header without a value", spec: headers("{add: [{name: X-A}]}"), refused: []string{"spec.responseHeaders.add[0].value: Required value"}},
		{name: "a long value", spec: headers("{set: [{name: X-A, value: " + strings.Repeat("a", 4097) + "}]}"), refused: []string{"spec.responseHeaders.set[0].value", "4096"}},

		// What only we know to be wrong, the status says.
		{name: "a header in two spellings", spec: headers("{set: [{name: X-A, value: a}, {name: x-a, value: b}]}"),
			verdict: invalid("InvalidResponseHeaders"), says: []string{`spec.responseHeaders.set[1].name: "x-a" is there already (spec.responseHeaders.set[0].name)`, "write each name once"}},
		{name: "a header of the connection", spec: headers("{remove: [Connection]}"),
			verdict: invalid("InvalidResponseHeaders"), says: []string{`spec.responseHeaders.remove[0]: "Connection"`, "remove it"}},
		{name: "a value of two lines", spec: headers(`{set: [{name: X-A, value: "a\r\nb"}]}`),
			verdict: invalid("InvalidResponseHeaders"), says: []string{"spec.responseHeaders.set[0].value", "on one line"}},
		{name: "service name in capitals", spec: site("a.example.com", "Bystander", 80),
			verdict: unlookedUp("InvalidServiceName"), says: []string{"spec.backend.serviceName", "write bystander"}},
		{name: "service name with namespace", spec: site("a.example.com", "bystander.bad.svc", 80),
			verdict: unlookedUp("InvalidServiceName"), says: []string{"spec.backend.serviceName", "write bystander", "own namespace"}},
		{name: "ExternalName", spec: site("a.example.com", "elsewhere", 80), also: `apiVersion: v1
kind: Service
metadata: {name: elsewhere, namespace: bad}
spec: {type: ExternalName, externalName: intranet.example.com}
`, verdict: unresolved("UnsupportedServiceType"), says: []string{"bad/elsewhere", "ExternalName", "could point a site at anything"}},
		{name: "no such service", spec: site("a.example.com", "nothing", 80),
			verdict: unresolved("ServiceNotFound"), says: []string{"bad/nothing", "spec.backend.serviceName"}},
		{name: "no such port", spec: site("a.example.com", "bystander", 81),
			verdict: unresolved("PortNotFound"), says: []string{"spec.backend.servicePort: Service bad/bystander has no port 81", "write one that it has: 80"}},
		{name: "UDP port", spec: site("a.example.com", "udp", 53), also: "{apiVersion: v1, kind: Service, metadata: {name: udp, namespace: bad}, spec: {ports: [{port: 53, protocol: UDP}]}}\n",
			verdict: unresolved("UnsupportedProtocol"), says: []string{"port 53", "bad/udp", "UDP"}},
		{name: "https port", spec: site("a.example.com", "tls", 443), also: "{apiVersion: v1, kind: Service, metadata: {name: tls, namespace: bad}, spec: {ports: [{port: 443, appProtocol: https}]}}\n",
			verdict: unresolved("UnsupportedProtocol"), says: []string{"port 443", "bad/tls", "which is TLS", "write one that speaks HTTP/1.1"}},
		// One that the API server lets through.
		{name: "refused endpoint", spec: site("a.example.com", "metadata", 80), also: serviceYAML("bad", "metadata", 80) + "---\n" + metadataSlice("bad", "metadata"), verdict: unresolved("EndpointNotAllowed"), says: []string{"fd00:ec2::254", "bad/metadata-1", "metadata service"}},
	}
	for _, domain := range []struct {
		name, value string
		says        []string
	}{
		{"port", "a.example.com:8080", []string{"has a port", "write a.example.com without the port"}},
		{"path", "a.example.com/docs", []string{"write a.example.com"}},
		{"URL", "https://a.example.com/", []string{"is a URL", "write a.example.com"}},
		{"wildcard", "*.example.com", []string{"has a wildcard", "write one whole host name"}},
		{"underscore", "my_docs.example.com", []string{"my_docs"}},
		{"non-ASCII letters", "bücher.example.com", []string{"write xn--bcher-kva.example.com"}},
		{"IPv4 address", "192.0.2.7", []string{"is an IP address", "write a host name"}},
		{"IPv6 address", "2001:db8::7", []string{"is an IP address", "write a host name"}},
		{"space", "a example.com", []string{"space"}},
		{"empty label", "a..example.com", []string{"a..example.com"}},
	} {
		all = append(all, mistake{name: "domain with " + domain.name, spec: site(`"`+domain.value+`"`, "bystander", 80),
			verdict: invalid("InvalidDomain"), says: append(domain.says, "spec.domain")})
	}
	return all
}

// unlookedUp is the verdict on a specification whose backend names nothing.
func unlookedUp(reason string) verdict {
	return verdict{"False " + reason, "False InvalidSpec", "False NotSent", "False NotReady"}
}
