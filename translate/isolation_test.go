package translate_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/translate/evil"
)

// good returns the n-th good tenant: a site, two Services and their endpoints.
func good(n int) []Object {
	ns := fmt.Sprintf("good-%04d", n)
	if n == 0 {
		ns = evil.Victim
	}
	domain := ns + ".example.com"
	objects := []Object{&Site{Key: Key{Namespace: ns, Name: "main"}, Generation: 1, Domain: domain, Service: "web", Port: 80, Held: []string{domain}}}
	for i, name := range []string{"web", "new"} {
		objects = append(objects,
			&Service{Key: Key{Namespace: ns, Name: name}, Ports: []ServicePort{{Port: 80}}},
			&Slice{Key: Key{Namespace: ns, Name: name + "-1"}, Service: name, AddressType: "IPv4", Ports: []SlicePort{{Port: 8080}},
				Endpoints: []Endpoint{{Address: fmt.Sprintf("10.%d.%d.%d", 100+i, n>>8, n&255), Ready: true}}})
	}
	return objects
}

// Five thousand good sites and an evil one, in every way in which it can be evil.
// Of each: the others' bytes are unchanged, a change of one of them is in the
// next delta by itself, the evil one's verdict names field and remedy, and
// mending it leaves everything as it was.
func TestIsolation(t *testing.T) {
	if n := len(evil.Cases()); n < 60 {
		t.Fatalf("there are %d cases", n)
	}
	for n, opts := range combinations {
		t.Run(fmt.Sprintf("%s-%s", opts.Routes, opts.Upstreams), func(t *testing.T) {
			tenants := 50 // single costs O(N) a change, and dns differs by the evil one's clusters only
			if n == 0 {
				tenants = 5000
			}
			e := newNeighbourhood(t, opts, tenants)
			for i, c := range evil.Cases() {
				t.Run(c.Name, func(t *testing.T) { e.suffer(t, &c, i%tenants) })
			}
			if diff := e.difference(e.before); diff != "" {
				t.Error(diff)
			}
			if err := e.unmodified(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A neighbourhood is good tenants and the evil one, who is healthy between cases.
type neighbourhood struct {
	*state
	w      *World
	opts   Options
	before *state         // while the evil one is healthy
	own    []ResourceName // its resources then
}

func newNeighbourhood(t *testing.T, opts Options, tenants int) *neighbourhood {
	var objects []Object
	for n := range tenants {
		objects = append(objects, good(n)...)
	}
	e := &neighbourhood{state: newState(), w: NewWorld(opts), opts: opts}
	e.mustApply(t, e.w, changesOf(append(objects, healthy()...)...))
	e.before = &state{maps.Clone(e.resources), maps.Clone(e.verdicts)}
	for name := range e.resources {
		if strings.HasPrefix(name.Name, evil.Tenant) {
			e.own = append(e.own, name)
		}
	}
	return e
}

func healthy() []Object { return evil.Healthy("10.0.0.1", 8080) }

// suffer goes through one case, with a change of one good tenant in the middle.
func (e *neighbourhood) suffer(t *testing.T, c *evil.Case, neighbour int) {
	d := e.mustApply(t, e.w, c.Changes())
	validateAll(t, d)
	e.checkOwn(t, d)
	e.checkVerdict(t, c)

	site := *good(neighbour)[0].(*Site)
	site.Service = "new"
	d = e.mustApply(t, e.w, changesOf(&site))
	if !concerns(d, e.opts, site.Domain) {
		t.Errorf("the next change of %s is %q", site.Domain, outline(d))
	}
	e.mustApply(t, e.w, changesOf(good(neighbour)[0]))

	validateAll(t, e.mustApply(t, e.w, c.Mend(healthy())))
	if len(e.resources) != len(e.before.resources) || len(e.verdicts) != len(e.before.verdicts) {
		t.Errorf("mended, there are %d resources of %d sites; before there were %d of %d",
			len(e.resources), len(e.verdicts), len(e.before.resources), len(e.before.verdicts))
	}
	for _, name := range e.own {
		if string(e.resources[name].bytes) != string(e.before.resources[name].bytes) {
			t.Errorf("mended, %v differs", name)
		}
	}
	if v := e.verdicts[Key{Namespace: evil.Tenant, Name: "main"}]; !v.Accepted.OK || !v.ResolvedRefs.OK {
		t.Errorf("mended, it is %+v", v)
	}
}

// concerns says whether a Delta has the routes of a domain and, where routes are
// resources by themselves, nothing of anybody else.
func concerns(d Delta, opts Options, domain string) bool {
	found := false
	ns := strings.TrimSuffix(domain, ".example.com")
	for _, r := range d.Resources {
		switch {
		case r.Type == scopeType && r.Name == domain, r.Type == tableType:
			found = true
		case !strings.HasPrefix(r.Name, ns+"_"):
			return false
		}
	}
	return found && len(d.Verdicts) == 1
}

// checkOwn checks that a Delta has nothing in it that was others' before.
func (e *neighbourhood) checkOwn(t *testing.T, d Delta) {
	t.Helper()
	for _, r := range d.Resources {
		_, was := e.before.resources[ResourceName{Type: r.Type, Name: r.Name}]
		own := strings.HasPrefix(r.Name, evil.Tenant) || r.Type == tableType
		if was && !own {
			t.Errorf("%s %s is touched", short(r.Type), r.Name)
		}
		for _, host := range virtualHosts(r.Message) {
			if r.Type == scopeType && !strings.HasPrefix(host.Name, evil.Tenant) {
				t.Errorf("scope %s has a virtual host %s", r.Name, host.Name)
			}
		}
	}
	checkAssignments(t, d)
	for _, v := range d.Verdicts {
		if !strings.HasPrefix(v.Site.Namespace, evil.Tenant) {
			t.Errorf("the verdict of %s is touched", v.Site)
		}
		if n := len(v.Accepted.Message) + len(v.ResolvedRefs.Message); n > 4000 {
			t.Errorf("its messages have %d bytes", n)
		}
	}
	if e.opts.Routes != RoutesSingle {
		return
	}
	now := hosts(e.state)
	for name, host := range hosts(e.before) {
		if now[name] != host {
			t.Errorf("virtual host %s is touched", name)
		}
	}
}

// checkAssignments checks what no tenant may send to all proxies: more endpoints
// than there are pods, or zones that are no names.
func checkAssignments(t *testing.T, d Delta) {
	t.Helper()
	for _, r := range d.Resources {
		assignment, ok := r.Message.(*endpointv3.ClusterLoadAssignment)
		if !ok {
			continue
		}
		members := 0
		for _, group := range assignment.Endpoints {
			members += len(group.LbEndpoints)
			if zone := group.GetLocality().GetZone(); strings.Trim(zone, "abcdefghijklmnopqrstuvwxyz-0123456789") != "" {
				t.Errorf("%s has a zone %q", r.Name, zone)
			}
		}
		if members > 1000 {
			t.Errorf("%s has %d endpoints", r.Name, members)
		}
	}
}

// checkVerdict checks what the evil one's owner is told.
func (e *neighbourhood) checkVerdict(t *testing.T, c *evil.Case) {
	t.Helper()
	v, found := e.verdicts[c.Site()]
	if !found {
		t.Fatalf("there is no verdict of %s", c.Site())
	}
	says := map[string]Condition{"Accepted": v.Accepted, "ResolvedRefs": v.ResolvedRefs}
	if e.opts.Upstreams == UpstreamsDNS && v.ResolvedRefs.OK && c.Condition == "ResolvedRefs" {
		return // the proxies find endpoints themselves
	}
	if c.Condition == "" || c.DNS && e.opts.Upstreams != UpstreamsDNS {
		if !v.Accepted.OK || !v.ResolvedRefs.OK {
			t.Errorf("of something harmless it is said: %+v", v)
		}
		return
	}
	if says[c.Condition].OK {
		t.Errorf("nothing is said: %+v", v)
	}
	for _, want := range c.Says {
		if !strings.Contains(says[c.Condition].Message, want) {
			t.Errorf("%q does not say %q", says[c.Condition].Message, want)
		}
	}
}
