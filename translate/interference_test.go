package translate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/api/v1alpha1"
	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// evilTexts is what a tenant might write into any string.
var evilTexts = []string{
	"", " ", "\x00", "\n", "\xff\xfe", "%REQ(cookie)%", "%", "*", "#1", "../..", "a_b", "A", "Ünï", "a\u202eb", "a;b", "${x}", "{{x}}",
	"'\"", "<script>", "http://169.254.169.254/", "127.0.0.1", "::1", "[::1]", "localhost:9901", "xds_cluster", "http_listener", "dynamic_routes",
	"others.example.com", "OTHERS.example.com.", "others_web_80_cluster", "web", "others/web", "web.others", strings.Repeat("a", 64), strings.Repeat("a.", 200),
	strings.Repeat("x", 1<<20),
}

// population is the neighbours: sites that no change of one tenant may touch.
func population() map[Ref]Object {
	objects := make(map[Ref]Object)
	add := func(o Object) { objects[o.Ref()] = o }
	for i := range 50 {
		ns := fmt.Sprintf("tenant-%d", i)
		add(&Site{Key: Key{Namespace: ns, Name: "main"}, Domain: ns + ".example.com", Service: "web", Port: 80, Held: []string{ns + ".example.com"}})
		add(&Service{Key: Key{Namespace: ns, Name: "web"}, Ports: []ServicePort{{Port: 80}}})
		add(&Slice{Key: Key{Namespace: ns, Name: "web-1"}, Service: "web", AddressType: "IPv4", Ports: []SlicePort{{Port: 80}},
			Endpoints: []Endpoint{{Address: fmt.Sprintf("10.0.0.%d", i), Ready: true}}})
	}
	add(&Site{Key: Key{Namespace: "others", Name: "main"}, Domain: "others.example.com", Service: "web", Port: 80, Held: []string{"others.example.com"}})
	return objects
}

// evilObjects are all the ways to put a string into a tenant's objects.
func evilObjects(text string) map[string]Object {
	return map[string]Object{
		"domain":           &Site{Key: Key{Namespace: "evil", Name: "main"}, Domain: text, Service: "web", Port: 80},
		"domain, prefixed": &Site{Key: Key{Namespace: "evil", Name: "main"}, Domain: text + "evil.example.com", Service: "web", Port: 80},
		"held":             &Site{Key: Key{Namespace: "evil", Name: "main"}, Domain: "-", Service: "web", Port: 80, Held: []string{text, "evil.example.com"}},
		"service":          &Site{Key: Key{Namespace: "evil", Name: "main"}, Domain: "evil.example.com", Service: text, Port: 80},
		"namespace":        &Site{Key: Key{Namespace: "evil" + text, Name: "main"}, Domain: "evil.example.com", Service: "web", Port: 80},
		"name":             &Site{Key: Key{Namespace: "evil", Name: text}, Domain: "evil.example.com", Service: "web", Port: 80},
		"header's name":    withHeader(text, "a"),
		"header's value":   withHeader("x-a", text),
		"service type":     &Service{Key: Key{Namespace: "evil", Name: "web"}, Type: text, Ports: []ServicePort{{Port: 80}}},
		"port name":        &Service{Key: Key{Namespace: "evil", Name: "web"}, Ports: []ServicePort{{Name: text, Port: 80}}},
		"protocol":         &Service{Key: Key{Namespace: "evil", Name: "web"}, Ports: []ServicePort{{Port: 80, Protocol: text}}},
		"slice's service":  &Slice{Key: Key{Namespace: "evil", Name: "web-1"}, Service: text, AddressType: "IPv4", Ports: []SlicePort{{Port: 80}}, Endpoints: []Endpoint{{Address: "10.9.9.9", Ready: true}}},
		"address type":     &Slice{Key: Key{Namespace: "evil", Name: "web-1"}, Service: "web", AddressType: text, Ports: []SlicePort{{Port: 80}}, Endpoints: []Endpoint{{Address: "10.9.9.9", Ready: true}}},
		"address":          &Slice{Key: Key{Namespace: "evil", Name: "web-1"}, Service: "web", AddressType: "IPv4", Ports: []SlicePort{{Port: 80}}, Endpoints: []Endpoint{{Address: text, Ready: true}}},
		"zone":             &Slice{Key: Key{Namespace: "evil", Name: "web-1"}, Service: "web", AddressType: "IPv4", Ports: []SlicePort{{Port: 80}}, Endpoints: []Endpoint{{Address: "10.9.9.9", Ready: true, Zone: text}}},
	}
}

// withHeader is the evil tenant's site with a header of its own.
func withHeader(name, value string) *Site {
	changes := &v1alpha1.HeaderChanges{Set: []v1alpha1.Header{{Name: v1alpha1.HeaderName(name), Value: value}}}
	return &Site{
		Key: Key{Namespace: "evil", Name: "main"}, Domain: "evil.example.com", Service: "web", Port: 80,
		Features: &v1alpha1.SiteFeatures{ResponseHeaders: changes},
	}
}

// Whatever a tenant writes, what others have stays byte for byte what it is,
// all that comes out is valid, and no text grows into a status that is too long
// to be written.
func TestNothingThatATenantWritesReachesAnother(t *testing.T) {
	for _, opts := range combinations {
		w, s := NewWorld(opts), newState()
		s.mustApply(t, w, population())
		s.mustApply(t, w, changesOf(
			&Site{Key: Key{Namespace: "evil", Name: "steady"}, Domain: "steady.example.com", Service: "web", Port: 80},
			&Service{Key: Key{Namespace: "evil", Name: "web"}, Ports: []ServicePort{{Port: 80}}},
		))
		before := hosts(s)
		for _, text := range evilTexts {
			for where, object := range evilObjects(text) {
				d := s.mustApply(t, w, changesOf(object))
				validateAll(t, d)
				checkOwn(t, d, where, text)
				d = s.mustApply(t, w, map[Ref]Object{object.Ref(): nil})
				validateAll(t, d)
			}
		}
		for name, host := range hosts(s) {
			if host != before[name] {
				t.Errorf("%v: virtual host %s changed from\n%s\nto\n%s", opts, name, before[name], host)
			}
		}
	}
}

// checkOwn checks that a Delta concerns nobody but the evil tenant.
func checkOwn(t *testing.T, d Delta, where, text string) {
	t.Helper()
	for _, r := range d.Resources {
		own := r.Type == tableType || strings.HasPrefix(r.Name, "evil") || strings.HasSuffix(r.Name, "evil.example.com")
		if host := virtualHosts(r.Message); r.Type == scopeType && len(host) == 1 {
			own = strings.HasPrefix(host[0].Name, "evil")
		}
		if !own && r.Type != scopeType {
			t.Errorf("%s %.40q touches %s %s", where, text, r.Type, r.Name)
		}
	}
	for _, v := range d.Verdicts {
		if !strings.HasPrefix(v.Site.Namespace, "evil") {
			t.Errorf("%s %.40q changes the verdict of %s", where, text, v.Site)
		}
		if n := len(v.Accepted.Message) + len(v.ResolvedRefs.Message); n > 4000 {
			t.Errorf("%s %.40q makes messages of %d bytes", where, text, n)
		}
	}
}

// hosts returns every neighbour's virtual host as text, whatever it came in.
func hosts(s *state) map[string]string {
	texts := make(map[string]string)
	for _, r := range s.resources {
		for _, host := range virtualHosts(r.message) {
			if slices.ContainsFunc(host.Routes, func(r *routev3.Route) bool { return strings.HasPrefix(r.Name, "evil") }) {
				continue
			}
			texts[host.Name] = string(encode(host))
		}
	}
	return texts
}
