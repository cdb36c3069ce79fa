package explain

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

var update = flag.Bool("update", false, "rewrite the golden files, and delete those that no case produces")

const goldens = "../testdata/explain"

// The cases. Each has its text and its JSON among the golden files. Proxies hold
// what translation makes of objects, which need not be those that are read.
var cases = map[string]Facts{
	"served":              served("https://docs.example.com/path"),
	"served-by-site":      served("docs/docs-main"),
	"served-single":       with(served("docs.example.com"), fleet(translate.Options{Routes: translate.RoutesSingle}, docs(), "edge-1")),
	"served-dns":          with(served("docs.example.com"), fleet(translate.Options{Upstreams: translate.UpstreamsDNS}, docs(), "edge-1")),
	"served-features":     with(served("docs.example.com"), objects(withFeatures()...), fleet(translate.Options{}, withFeatures(), "edge-1")),
	"loopback-is-allowed": loopback(),
	"other-spellings":     with(served("HTTPS://Docs.Example.COM.:8443/a//b?c=d#e")),
	"other-script":        with(served("https://bücher.example/")),
	"both-layouts":        with(served("docs.example.com"), append(fleet(translate.Options{Routes: translate.RoutesSingle}, docs(), "edge-1"), fleet(translate.Options{}, docs(), "edge-2")...)),
	"one-node-id":         with(served("docs.example.com"), fleet(translate.Options{}, docs(), "ssg-gateway", "ssg-gateway")),
	"many-proxies":        with(served("docs.example.com"), state(fleet(translate.Options{}, docs(), numbers(15)...), 13, assignmentURL, Waiting, "")),

	"nobody":                  served("https://doc.example.com/"),
	"no-such-site":            served("docs/docs-mian"),
	"several-claims":          with(served("docs.example.com"), objects(rivals()...)),
	"waits":                   with(served("team/docs"), objects(rivals()...)),
	"waits-by-name":           with(served("docs/younger"), objects(append(docs(), site("docs", "younger", "docs.example.com"))...)),
	"not-permitted":           with(served("https://docs.example.com/"), objects(append(docs(), reserved("docs.example.com"))...), fleet(translate.Options{}, nil, "edge-1")),
	"not-permitted-by-status": with(served("docs/docs-main"), statuses(1, "False DomainNotPermitted", "True ResolvedRefs", "False NotSent", "False NotReady"), fleet(translate.Options{}, nil, "edge-1")),
	"invalid":                 with(served("docs/docs-main"), objects(replaced(docs(), invalid())...), neighbours()),
	"invalid-domain":          with(served("docs/bad"), objects(&object.Site{Key: key("docs/bad"), Domain: "docs.example.com:8080", Service: "docs-main-svc", Port: 80})),
	"service-missing":         with(served("docs.example.com"), objects(docs()[0]), fleet(translate.Options{}, docs()[:1], "edge-1", "edge-2")),
	"port-missing":            with(served("docs.example.com"), objects(replaced(docs(), &object.Service{Key: key("docs/docs-main-svc"), Ports: []object.ServicePort{{Name: "web", Port: 8080}}})...)),
	"draining-endpoints":      with(served("docs.example.com"), objects(draining()...), fleet(translate.Options{}, draining(), "edge-1")),
	"no-endpoints":            with(served("docs.example.com"), objects(notReady()...), fleet(translate.Options{}, notReady(), "edge-1")),
	"endpoint-not-used":       with(served("docs.example.com"), objects(replaced(docs(), slice("10.0.0.1", "169.254.169.254"))...)),

	"refused":         with(served("https://docs.example.com/path"), state(fleet(translate.Options{}, docs(), "edge-1", "edge-2"), 1, scopeURL, Refused, "Envoy's own words: \x1b[31m missing ]: [\nNext: nothing")),
	"one-not-serving": with(served("docs.example.com"), state(fleet(translate.Options{}, docs(), "edge-1", "edge-2"), 1, listenerURL, Refused, "cannot bind '0.0.0.0:8080': Address already in use")),
	"none-serving":    with(served("docs.example.com"), state(fleet(translate.Options{}, docs(), "edge-1"), 0, listenerURL, TriedAgain, "cannot bind '0.0.0.0:8080': Address already in use")),
	"no-routes":       with(served("docs.example.com"), state(fleet(translate.Options{}, docs(), "edge-1"), 0, scopeURL, NotAsked, "")),
	"a-person":        with(served("docs.example.com"), append(fleet(translate.Options{}, docs(), "edge-1"), state(fleet(translate.Options{}, docs(), "grpcurl"), 0, listenerURL, NotAsked, "")...)),

	"pending":       with(served("docs.example.com"), state(fleet(translate.Options{}, docs(), "edge-1", "edge-2"), 0, clusterURL, Sent, "")),
	"many-pending":  with(served("docs.example.com"), fleetWaiting(20)),
	"silent":        with(served("docs.example.com"), append(fleet(translate.Options{}, docs(), "edge-1"), Proxy{Server: server, Address: "10.1.0.9:40000", Silent: true})),
	"no-proxies":    with(served("docs.example.com"), []Proxy{{Server: server, Node: "", Address: "10.9.9.9:1"}}), // a person's, who asks for no listener
	"no-server":     with(served("docs.example.com"), []Proxy{}, []Server{{server, "dial tcp 127.0.0.1:9000: connect: connection refused"}}),
	"half-a-fleet":  with(served("docs.example.com"), []Server{{server, ""}, {"127.0.0.1:9001", "no answer within 10s"}}),
	"server-behind": with(served("docs.example.com"), objects(replaced(docs(), &object.Site{Key: key("docs/docs-main"), Domain: "docs.example.com", Service: "new-svc", Port: 80})...), objectsToo(pods("docs/new-svc"))),
	"not-at-server": with(served("docs.example.com"), fleet(translate.Options{}, nil, "edge-1")),
	"still-served":  with(served("docs.example.com"), objects(docs()[1:]...)),

	"status":                with(served("docs/docs-main"), statuses(1, "True Accepted", "True ResolvedRefs", "True Programmed", "True Ready")),
	"status-behind":         with(served("docs/docs-main"), statuses(1, "True Accepted", "False ServiceNotFound", "True Programmed", "False NotReady")),
	"elsewhere":             with(served("docs/docs-main"), statuses(1, "True Accepted", "True ResolvedRefs", "Unknown Pending", "Unknown NotReady")),
	"status-of-before":      with(served("docs/docs-main"), statuses(7, "True Accepted", "True ResolvedRefs", "True Programmed", "True Ready")),
	"status-missing":        with(served("docs/docs-main"), statuses(0)),
	"invalid-configuration": with(served("docs/docs-main"), statuses(1, "False InvalidConfiguration", "True ResolvedRefs", "False NotSent", "False NotReady"), fleet(translate.Options{}, nil, "edge-1")),

	"no-rights":      with(served("docs.example.com"), unread("this account has no right to list staticsites"), objects()),
	"no-rights-404":  with(served("docs.example.com"), unread("this account has no right to list staticsites"), objects(), fleet(translate.Options{}, nil, "edge-1")),
	"nothing-read":   with(served("docs.example.com"), unread("find the API server: no configuration"), objects(), []Proxy{}, []Server{{server, "connection refused"}}),
	"backend-unread": with(served("docs.example.com"), objects(docs()[0]), statuses(1, "True Accepted", "True ResolvedRefs", "True Programmed", "True Ready"), backendUnread("Service docs/docs-main-svc and its endpoints were not read: this account has no right")),
}

func TestGoldenFiles(t *testing.T) {
	var produced []string
	for name, facts := range cases {
		e := Explain(facts)
		encoded, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		for file, got := range map[string]string{name + ".txt": e.Text(), name + ".json": string(encoded) + "\n"} {
			produced = append(produced, file)
			compareGolden(t, file, got)
		}
		if e.Next == "" || strings.Count(e.Text(), "\nNext: ") != 1 {
			t.Errorf("%s has not exactly one next thing to do:\n%s", name, e.Text())
		}
		if strings.ContainsAny(e.Verdict+e.Next, "{}") || strings.ContainsAny(e.Text(), "\x1b\t") {
			t.Errorf("%s has something in it that is not for people:\n%q", name, e.Text())
		}
	}
	files, err := os.ReadDir(goldens)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if slices.Contains(produced, file.Name()) {
			continue
		}
		if !*update {
			t.Errorf("no case produces %s", file.Name())
		} else if err := os.Remove(filepath.Join(goldens, file.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join(goldens, file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// Every reason that a condition can have says what to do, or that another one does.
func TestEveryReasonHasAStep(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "../api/v1alpha1/conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if !strings.HasPrefix(name.Name, "Reason") {
				continue
			}
			found++
			value, err := strconv.Unquote(spec.Values[i].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			step, ok := steps[value]
			if !ok {
				t.Errorf("v1alpha1.%s has no step in next.go", name.Name)
			}
			if (step.why == "") != (step.next == "") {
				t.Errorf("v1alpha1.%s says only half: %+v", name.Name, step)
			}
		}
		return true
	})
	if found < 20 {
		t.Errorf("only %d reasons were found", found)
	}
}

func TestTargets(t *testing.T) {
	for asked, want := range map[string]string{
		"docs.example.com":                    "docs.example.com /",
		"docs.example.com:8080":               "docs.example.com /",
		"docs.example.com/a/b?c#d":            "docs.example.com /a/b",
		"docs.example.com?c":                  "docs.example.com /",
		"http://user:pass@docs.example.com/a": "docs.example.com /a",
		"HTTPS://DOCS.example.com.:443":       "docs.example.com /",
		"http://localhost/path":               "localhost /path",
		"localhost:8080/path":                 "localhost /path",
		"b%C3%BCcher.example":                 "xn--bcher-kva.example /",
		"bücher.example":                      "xn--bcher-kva.example /",
		"docs/docs-main":                      "StaticSite docs/docs-main",
		"docs/docs.main":                      "StaticSite docs/docs.main",
		"":                                    "nothing is asked about",
		"10.0.0.1":                            "is an IP address",
		"http://10.0.0.1:80/":                 "is an IP address",
		"[::1]:8080":                          "is an IP address",
		"*.example.com":                       "has a wildcard",
		"ftp://docs.example.com":              "has scheme ftp",
		"docs.example.com:x":                  "has no valid port",
		"docs.example.com:0":                  "has no valid port",
		"https://":                            `"https://" names no host: write a URL`,
		":80":                                 `":80" names no host`,
		"a_b.example.com":                     "has an underscore",
		"docs..example.com":                   "has an empty label",
		"Docs/main":                           "write docs/main",
		"docs/":                               "write NAMESPACE/NAME",
		"docs//":                              "write NAMESPACE/NAME",
		"docs/docs-main/guide":                "write docs/docs-main for the StaticSite, or http://docs/docs-main/guide for the host docs",
		"docs/docs-main?page=1":               "write docs/docs-main for",
		"docs example.com":                    "has a space",
		strings.Repeat("a.", 130) + "example.com": "write at most 253",
	} {
		target, err := ParseTarget(asked)
		got := target.Domain + " " + target.Path
		switch {
		case err != nil:
			got = err.Error()
		case target.Site != object.Key{}:
			got = "StaticSite " + target.Site.String()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%q is %q, want %q", asked, got, want)
		}
	}
}

// What a tenant writes is no line of its own in the text, nor does it take time.
func FuzzParseTarget(f *testing.F) {
	f.Add("https://docs.example.com/path")
	f.Add("docs/docs-main")
	f.Add("[::1%25eth0]:80")
	f.Fuzz(func(t *testing.T, asked string) {
		target, err := ParseTarget(asked)
		if err != nil {
			return
		}
		if target.Domain == "" && target.Site == (object.Key{}) {
			t.Fatalf("%q is about nothing", asked)
		}
		text := Explain(Facts{Target: target}).Text()
		if strings.Count(text, "\nNext: ") != 1 {
			t.Fatalf("%q: %s", asked, text)
		}
	})
}

// What cases are made of.

const server = "127.0.0.1:9000"

func key(text string) object.Key {
	namespace, name, _ := strings.Cut(text, "/")
	return object.Key{Namespace: namespace, Name: name}
}

func site(namespace, name, domain string) *object.Site {
	return &object.Site{Key: object.Key{Namespace: namespace, Name: name}, Generation: 1, Domain: domain, Service: "docs-main-svc", Port: 80}
}

func slice(addresses ...string) *object.Slice {
	s := &object.Slice{Key: key("docs/docs-main-svc-1"), Service: "docs-main-svc", AddressType: "IPv4", Ports: []object.SlicePort{{Name: "http", Port: 8080}}}
	for i, a := range addresses {
		s.Endpoints = append(s.Endpoints, object.Endpoint{Address: a, Ready: true, Zone: fmt.Sprintf("eu-1%c", 'a'+i%2)})
	}
	return s
}

// docs are a site, its Service, and three ready pods beside one that is not.
func docs() []object.Object {
	pods := slice("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
	pods.Endpoints[3].Ready = false
	return []object.Object{
		site("docs", "docs-main", "docs.example.com"),
		&object.Service{Key: key("docs/docs-main-svc"), Ports: []object.ServicePort{{Name: "http", Port: 80}}},
		pods,
	}
}

// withFeatures are docs whose site asks for what it could do without.
func withFeatures() []object.Object {
	s := site("docs", "docs-main", "docs.example.com")
	s.Features = &v1alpha1.SiteFeatures{ResponseHeaders: &v1alpha1.HeaderChanges{
		Set:    []v1alpha1.Header{{Name: "X-Frame-Options", Value: "DENY"}, {Name: "X-Progress", Value: "100%"}},
		Add:    []v1alpha1.Header{{Name: "Vary", Value: "Accept-Language"}},
		Remove: []v1alpha1.HeaderName{"Server"},
	}}
	return replaced(docs(), s)
}

func notReady() []object.Object {
	pods := slice("10.0.0.1")
	pods.Endpoints[0].Ready = false
	return replaced(docs(), pods)
}

// draining are a site whose last pods are about to end, before others are ready.
func draining() []object.Object {
	pods := slice("10.0.0.1", "10.0.0.2")
	for i := range pods.Endpoints {
		pods.Endpoints[i].Ready, pods.Endpoints[i].Draining = false, i == 0
	}
	return replaced(docs(), pods)
}

func invalid() *object.Site {
	s := site("docs", "docs-main", "docs.example.com")
	s.Service, s.Held = "Docs", []string{"docs.example.com"}
	return s
}

// rivals are four claims on one domain: the one that holds it, by age, and by name.
func rivals() []object.Object {
	all := docs()
	holder := site("docs", "docs-main", "docs.example.com")
	holder.Held, holder.Created = []string{"docs.example.com"}, time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	older, young, twin := site("team", "docs", "Docs.Example.com."), site("b", "docs", "docs.example.com"), site("a", "docs", "docs.example.com")
	older.Created = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	young.Created = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	twin.Created = young.Created
	return append(replaced(all, holder), older, young, twin)
}

// reserved is a policy that keeps a domain from every namespace.
func reserved(domain string) *object.Policy {
	return &object.Policy{Key: object.Key{Name: "reserved"}, Mode: "Reserve", Domains: []object.DomainMatch{{Exact: domain}},
		Selector: metav1.LabelSelector{MatchLabels: map[string]string{"team": "nobody"}}}
}

func pods(service string) []object.Object {
	k := key(service)
	return []object.Object{
		&object.Service{Key: k, Ports: []object.ServicePort{{Port: 80}}},
		&object.Slice{Key: object.Key{Namespace: k.Namespace, Name: k.Name + "-1"}, Service: k.Name, AddressType: "IPv4",
			Ports: []object.SlicePort{{Port: 80}}, Endpoints: []object.Endpoint{{Address: "10.0.0.9", Ready: true}}},
	}
}

func replaced(objects []object.Object, by object.Object) []object.Object {
	return append(slices.DeleteFunc(objects, func(o object.Object) bool { return o.Ref() == by.Ref() }), by)
}

// fleet is proxies that hold what is made of objects.
func fleet(opts translate.Options, objects []object.Object, nodes ...string) []Proxy {
	changes := make(map[object.Ref]object.Object)
	for _, o := range objects {
		changes[o.Ref()] = o
	}
	var out []Proxy
	for i, node := range nodes {
		p := Proxy{Server: server, Node: node, Address: fmt.Sprintf("10.1.0.%d:40000", i+1)}
		for _, r := range translate.NewWorld(opts).Apply(changes).Resources {
			p.Holdings = append(p.Holdings, Holding{Type: r.Type, Name: r.Name, State: Acknowledged, Message: r.Message})
		}
		out = append(out, p)
	}
	return out
}

// fleetWaiting is proxies that were sent a cluster and have not answered.
func fleetWaiting(n int) []Proxy {
	all := fleet(translate.Options{}, docs(), numbers(n)...)
	for i := range all {
		state(all, i, clusterURL, Sent, "")
	}
	return all
}

func numbers(n int) (nodes []string) {
	for i := range n {
		nodes = append(nodes, fmt.Sprintf("edge-%02d", i+1))
	}
	return nodes
}

// state changes what the n-th proxy has of a type.
func state(proxies []Proxy, n int, typ string, state State, words string) []Proxy {
	for i, h := range proxies[n].Holdings {
		if h.Type == typ {
			proxies[n].Holdings[i].State, proxies[n].Holdings[i].Error = state, words
		}
	}
	return proxies
}

// served is a site that two proxies serve.
func served(asked string) Facts {
	target, err := ParseTarget(asked)
	if err != nil {
		panic(err)
	}
	return with(Facts{Target: target, Source: "the folder sites", Servers: []Server{{Address: server}}},
		objects(docs()...), neighbours(), fleet(translate.Options{}, docs(), "edge-1", "edge-2"))
}

func loopback() Facts {
	local := replaced(docs(), slice("127.0.0.1"))
	allowed := translate.Options{AllowedEndpoints: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	return with(served("docs.example.com"), objects(local...), fleet(allowed, local, "edge-1"))
}

// with changes facts. What it takes is told by its type.
func with(f Facts, changes ...any) Facts {
	for _, change := range changes {
		switch change := change.(type) {
		case []Proxy:
			f.Proxies = change
		case []Server:
			f.Servers = change
		case func(*Facts):
			change(&f)
		default:
			panic(fmt.Sprintf("%T", change))
		}
	}
	return f
}

func objects(list ...object.Object) func(*Facts) {
	return func(f *Facts) {
		f.Objects = make(map[object.Ref]object.Object)
		objectsToo(list)(f)
	}
}

func objectsToo(list []object.Object) func(*Facts) {
	return func(f *Facts) {
		for _, o := range list {
			f.Objects[o.Ref()] = o
		}
	}
}

func neighbours() func(*Facts) {
	return func(f *Facts) {
		f.Known = []Neighbour{{"docs.example.com", key("docs/docs-main")}, {"kb.example.com", key("support/kb")}, {"shop.example.org", key("shop/shop")}}
	}
}

func unread(why string) func(*Facts) { return func(f *Facts) { f.Unread = why } }

func backendUnread(why string) func(*Facts) { return func(f *Facts) { f.BackendUnread = why } }

// statuses gives docs/docs-main a status of a generation, whose conditions are
// "Status Reason" in their order.
func statuses(generation int64, conditions ...string) func(*Facts) {
	return func(f *Facts) {
		f.Source = "the cluster at https://10.0.0.1:6443"
		status := v1alpha1.StaticSiteStatus{ObservedGeneration: generation}
		for i, c := range conditions {
			state, reason, _ := strings.Cut(c, " ")
			status.Conditions = append(status.Conditions, metav1.Condition{
				Type: v1alpha1.Conditions[i], Status: metav1.ConditionStatus(state), Reason: reason, Message: "what " + reason + " says",
			})
		}
		f.Statuses = map[object.Key]v1alpha1.StaticSiteStatus{key("docs/docs-main"): status}
	}
}
