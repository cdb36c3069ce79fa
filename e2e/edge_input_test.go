package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// The good sites of the tests here: whatever is wrong with other files, they are
// served, request by request.
var goodHosts = []string{"one.example.com", "two.example.com"}

// startGood starts an edge and a proxy with the good sites, and requests to them.
// The test ends with a check that all were answered.
func startGood(t *testing.T, ctx context.Context) (*edge, *proxy, string) {
	t.Helper()
	pod := startPod(t, 1, "pod").Address()
	e := startEdge(t, ctx, newFolder(t, map[string]string{
		"one.yaml": served("good", "one", goodHosts[0], pod),
		"two.yaml": served("good", "two", goodHosts[1], pod),
	}))
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	for _, host := range goodHosts {
		must(t, awaitAnswer(ctx, p.address, host, 200, "pod"))
	}
	load := traffic.Start(traffic.Options{Address: p.address, Hosts: goodHosts, Rate: 200})
	t.Cleanup(func() {
		if err := undisturbed(t, load); err != nil {
			t.Error(err)
		}
	})
	return e, p, pod
}

// A complaint is what the log must say of a mistake.
type complaint struct {
	message string // "file refused" or "site has a problem"
	about   string // the object
	says    []string
}

// awaitComplaint waits for a log entry at or after a position.
func (e *edge) awaitComplaint(ctx context.Context, from int, want complaint) error {
	_, err := e.Log.Wait(ctx, from, func(entry operator.Entry) bool {
		if entry.Message != want.message {
			return false
		}
		about, text := entry.Field("object"), entry.Field("error")
		if entry.Message == "site has a problem" {
			about, text = "StaticSite "+entry.Field("site"), entry.Field("message")
		}
		text = entry.Field("file") + ": " + text
		for _, part := range want.says {
			if !strings.Contains(text, part) {
				return false
			}
		}
		return about == want.about
	})
	if err != nil {
		return fmt.Errorf("%w: want %q about %q that says %q", err, want.message, want.about, want.says)
	}
	return nil
}

// TestBadInput: each mistake is said at its object, with the field and what to write
// instead; and costs nobody else anything.
func TestBadInput(t *testing.T) {
	ctx := bounded(t, time.Minute)
	e, p, pod := startGood(t, ctx)
	site := func(domain, service string, port any) string { return siteYAML("bad", "NAME", domain, service, port) }
	const refused, problem = "file refused", "site has a problem"
	for name, test := range map[string]struct {
		yaml string
		complaint
	}{
		"yaml": {"kind: StaticSite\nmetadata: {name: [x\n", complaint{refused, "", []string{"yaml.yaml", "not valid YAML: line 2"}}},
		"kind": {"apiVersion: platform.my-company.com/v1alpha1\nkind: StaticSiet\nmetadata: {name: kind, namespace: bad}\n",
			complaint{refused, "StaticSiet bad/kind", []string{"kind.yaml", "did you mean StaticSite?"}}},
		"field": {strings.Replace(site("field.example.com", "svc", 80), "domain:", "domian:", 1),
			complaint{refused, "StaticSite bad/field", []string{"field.yaml", "spec.domian", "did you mean domain?"}}},
		"no-domain": {strings.Replace(site("x", "svc", 80), "  domain: x\n", "", 1),
			complaint{refused, "StaticSite bad/no-domain", []string{"no-domain.yaml", "spec.domain", "write"}}},
		"no-service": {strings.Replace(site("no-service.example.com", "svc", 80), "serviceName: svc, ", "", 1),
			complaint{refused, "StaticSite bad/no-service", []string{"no-service.yaml", "spec.backend.serviceName", "write"}}},
		"port-word": {site("port-word.example.com", "svc", "http"),
			complaint{refused, "StaticSite bad/port-word", []string{"port-word.yaml", "spec.backend.servicePort", "write a number from 1 to 65535"}}},
		"port-0": {site("port-0.example.com", "svc", 0),
			complaint{problem, "StaticSite bad/port-0", []string{"spec.backend.servicePort", "from 1 to 65535"}}},
		"port-65536": {site("port-65536.example.com", "svc", 65536),
			complaint{problem, "StaticSite bad/port-65536", []string{"spec.backend.servicePort", "from 1 to 65535"}}},
		"with-port": {site("with-port.example.com:8080", "svc", 80),
			complaint{problem, "StaticSite bad/with-port", []string{"with-port.yaml", "spec.domain", "has a port: write with-port.example.com"}}},
		"with-path": {site("with-path.example.com/docs", "svc", 80),
			complaint{problem, "StaticSite bad/with-path", []string{"spec.domain", "write with-path.example.com"}}},
		"wildcard": {site(`"*.example.com"`, "svc", 80),
			complaint{problem, "StaticSite bad/wildcard", []string{"spec.domain", "wildcard: write one whole host name"}}},
		"underscore": {site("under_score.example.com", "svc", 80),
			complaint{problem, "StaticSite bad/underscore", []string{"spec.domain", "underscore", "write a hyphen"}}},
		"non-ascii": {site("bücher.example.com", "svc", 80),
			complaint{problem, "StaticSite bad/non-ascii", []string{"spec.domain", "write xn--bcher-kva.example.com"}}},
		"address": {site("192.0.2.7", "svc", 80),
			complaint{problem, "StaticSite bad/address", []string{"spec.domain", "is an IP address: write a host name"}}},
		"service-name": {site("service-name.example.com", "My_Service", 80),
			complaint{problem, "StaticSite bad/service-name", []string{"spec.backend.serviceName", "write the name of a Service"}}},
		"no-such-service": {site("no-such-service.example.com", "nobody", 80),
			complaint{problem, "StaticSite bad/no-such-service", []string{"Service bad/nobody does not exist", "spec.backend.serviceName"}}},
		"no-such-port": {site("no-such-port.example.com", "ported", 81) + "---\n" + serviceYAML("bad", "ported", 80),
			complaint{problem, "StaticSite bad/no-such-port", []string{"spec.backend.servicePort: Service bad/ported has no port 81", "write one that it has: 80"}}},
		"external": {site("external.example.com", "external", 80) +
			"---\napiVersion: v1\nkind: Service\nmetadata: {name: external, namespace: bad}\nspec: {type: ExternalName, externalName: evil.example.org}\n",
			complaint{problem, "StaticSite bad/external", []string{"spec.backend.serviceName: ", "ExternalName", "could point a site at anything", "write a Service"}}},
		"metadata-service": {site("metadata-service.example.com", "meta", 80) + "---\n" + serviceYAML("bad", "meta", 80) + "---\n" + sliceYAML("bad", "meta", "169.254.169.254:80"),
			complaint{problem, "StaticSite bad/metadata-service", []string{"EndpointSlice bad/meta-1", "169.254.169.254", "take it out"}}},
		"loopback": {site("loopback.example.com", "loop", 80) + "---\n" + serviceYAML("bad", "loop", 80) + "---\n" + sliceYAML("bad", "loop", "127.0.0.1:80"),
			complaint{problem, "StaticSite bad/loopback", []string{"EndpointSlice bad/loop-1", "127.0.0.1", "take it out"}}},
		"taken": {site(goodHosts[0], "svc", 80),
			complaint{problem, "StaticSite bad/taken", []string{"spec.domain", "belongs to a StaticSite in namespace good", "write another domain"}}},
	} {
		t.Run(name, func(t *testing.T) {
			from := e.Log.Len()
			e.sites.put(t, name+".yaml", strings.ReplaceAll(test.yaml, "NAME", name))
			must(t, e.awaitComplaint(bounded(t, 10*time.Second), from, test.complaint))
		})
	}
	// None is served from where it should not be, and what comes after is served.
	for _, host := range []string{"external.example.com", "metadata-service.example.com", "loopback.example.com"} {
		must(t, awaitAnswer(ctx, p.address, host, 503, ""))
	}
	e.sites.put(t, "after.yaml", served("good", "after", "after.example.com", pod))
	must(t, awaitAnswer(ctx, p.address, "after.example.com", 200, "pod"))
}

// TestBrokenFile: a file that was good and is broken goes on being served as it was.
func TestBrokenFile(t *testing.T) {
	ctx := bounded(t, time.Minute)
	e, p, pod := startGood(t, ctx)
	for name, broken := range map[string]struct {
		text string
		complaint
	}{
		"cut off in the middle": {strings.Split(served("good", "one", goodHosts[0], pod), ", servicePort")[0],
			complaint{"file refused", "", []string{"one.yaml", "not valid YAML"}}},
		"no YAML": {"}{ this was a merge conflict\n",
			complaint{"file refused", "", []string{"one.yaml", "not valid YAML"}}},
		"documents after the end of the first": {strings.ReplaceAll(served("good", "one", goodHosts[0], pod), "---\n", "...\n"),
			complaint{"file refused", "", []string{"one.yaml", "line 7", "nothing is read between ... and the next line ---", "write --- in place of ..."}}},
		"separators that end with CR": {strings.ReplaceAll(served("good", "one", goodHosts[0], pod), "---\n", "\r---\r"),
			complaint{"file refused", "", []string{"one.yaml", "line", "is not read", "write --- before it, on a line of its own"}}},
		"an unknown field": {strings.Replace(served("good", "one", goodHosts[0], pod), "serviceName", "servicename", 1),
			complaint{"file refused", "StaticSite good/one", []string{"one.yaml", "spec.backend.servicename", "did you mean serviceName?"}}},
		"a bad domain": {served("good", "one", "one.example.com/", pod),
			complaint{"site has a problem", "StaticSite good/one", []string{"spec.domain", "write one.example.com"}}},
	} {
		t.Run(name, func(t *testing.T) {
			from := e.Log.Len()
			e.sites.put(t, "one.yaml", broken.text)
			must(t, e.awaitComplaint(ctx, from, broken.complaint))
			// Changes of others come through, and it is served meanwhile.
			e.sites.put(t, "other.yaml", served("good", "other", "other.example.com", pod))
			must(t, awaitAnswer(ctx, p.address, "other.example.com", 200, "pod"))
			e.sites.remove(t, "other.yaml")
			must(t, awaitAnswer(ctx, p.address, "other.example.com", 404, ""))
			must(t, awaitAnswer(ctx, p.address, goodHosts[0], 200, "pod"))

			e.sites.put(t, "one.yaml", served("good", "one", goodHosts[0], pod), served("good", "mended", "mended.example.com", pod))
			must(t, awaitAnswer(ctx, p.address, "mended.example.com", 200, "pod"))
			e.sites.put(t, "one.yaml", served("good", "one", goodHosts[0], pod))
			must(t, awaitAnswer(ctx, p.address, "mended.example.com", 404, ""))
		})
	}
}

// TestEditors saves a good site's file in the ways that editors do, again and again.
// Each save changes a second site in the file, so that it is seen to be read.
func TestEditors(t *testing.T) {
	ctx := bounded(t, time.Minute)
	e, p, pod := startGood(t, ctx)
	path := e.sites.path("one.yaml")
	const pause = 80 * time.Millisecond // longer than it takes to read what was saved
	write := func(t *testing.T, text string) { must(t, os.WriteFile(path, []byte(text), 0o644)) }
	for name, save := range map[string]func(t *testing.T, text string){
		"in place": write,
		"in place, in two parts": func(t *testing.T, text string) {
			file, err := os.Create(path)
			must(t, err)
			defer file.Close()
			for _, part := range []string{text[:len(text)/3], text[len(text)/3:]} {
				_, err := file.WriteString(part)
				must(t, err)
				time.Sleep(pause)
			}
		},
		"a new one over it": func(t *testing.T, text string) { e.sites.put(t, "one.yaml", text) },
		"the old one aside first": func(t *testing.T, text string) {
			must(t, os.Rename(path, path+"~"))
			write(t, text)
			must(t, os.Remove(path+"~"))
		},
		"the old one deleted first": func(t *testing.T, text string) {
			must(t, os.Remove(path))
			time.Sleep(pause)
			write(t, text)
		},
		"under another name": func(t *testing.T, text string) {
			must(t, os.Rename(path, e.sites.path("renamed.yaml")))
			write(t, text)
			must(t, os.Remove(e.sites.path("renamed.yaml")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for n := range 3 {
				host := fmt.Sprintf("%s-%d.example.com", strings.NewReplacer(" ", "-", ",", "").Replace(name), n)
				save(t, served("good", "one", goodHosts[0], pod)+"---\n"+siteYAML("good", "second", host, "one", strings.Split(pod, ":")[1]))
				must(t, awaitAnswer(ctx, p.address, host, 200, "pod"))
			}
		})
	}
}

// TestNoSites: an empty folder is served, by 404s, and said to be empty.
func TestNoSites(t *testing.T) {
	ctx := bounded(t, time.Minute)
	e := startEdge(t, ctx, newFolder(t, nil))
	empty := func(entry operator.Entry) bool { return strings.Contains(entry.Message, "no sites") }
	_, err := e.Log.Wait(ctx, 0, empty)
	must(t, err)
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 404, ""))

	e.sites.put(t, "docs.yaml", served("docs", "docs", "docs.example.com", startPod(t, 1, "pod").Address()))
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 200, "pod"))
	from := e.Log.Len()
	e.sites.remove(t, "docs.yaml")
	must(t, awaitAnswer(ctx, p.address, "docs.example.com", 404, ""))
	_, err = e.Log.Wait(ctx, from, empty)
	must(t, err)
}

// TestTwoFilesWithOneObject: the one that was there is served, the other one is
// told of it, and serves when the first is gone.
func TestTwoFilesWithOneObject(t *testing.T) {
	ctx := bounded(t, time.Minute)
	e, p, pod := startGood(t, ctx)
	_, port, _ := strings.Cut(pod, ":")
	e.sites.put(t, "b-first.yaml", siteYAML("good", "twice", "first.example.com", "one", port))
	must(t, awaitAnswer(ctx, p.address, "first.example.com", 200, "pod"))
	from := e.Log.Len()
	e.sites.put(t, "a-second.yaml", siteYAML("good", "twice", "second.example.com", "one", port))
	must(t, e.awaitComplaint(ctx, from, complaint{"file refused", "StaticSite good/twice", []string{"a-second.yaml", "b-first.yaml", "remove one of the two"}}))
	must(t, awaitAnswer(ctx, p.address, "first.example.com", 200, "pod"))
	must(t, awaitAnswer(ctx, p.address, "second.example.com", 404, ""))
	e.sites.remove(t, "b-first.yaml")
	must(t, awaitAnswer(ctx, p.address, "second.example.com", 200, "pod"))
	must(t, awaitAnswer(ctx, p.address, "first.example.com", 404, ""))
}
