package xds

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
)

// TestScripts runs the stream scripts of testdata/xds: what a client says, what
// is published, how time passes, and what the session answers. The number at the
// start of a file's name is that of the rule in docs/protocol-rules.md. Run with
// -rewrite to record what the session does now.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, filepath.Join("..", "testdata", "xds"), func(t *testing.T, path string) {
		s := newScript()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return s.run(t, d) })
	})
}

// script is a store and some clients, in a time of their own.
type script struct {
	store   *keeper
	clients map[string]*client
	now     time.Time
}

func newScript() *script {
	return &script{store: newKeeper(), clients: make(map[string]*client), now: time.Unix(0, 0)}
}

// client is a session and what its client saw last.
type client struct {
	*Session
	sotw     bool
	versions bool // write down the versions of responses
	nonce    [numTypes]string
	version  [numTypes]string
}

// run does one command. All may bear client=NAME, if there are several.
//
//	publish                     with lines TYPE NAME@VERSION [placeholder] [needs=a,b] and TYPE -NAME
//	keep-nothing                before the first publish: see Store.KeepNothing
//	connect sotw|delta [versions]
//	request TYPE [nonce=N] [version=V] [names=a,b] [sub=a,b] [unsub=a,b] [claims=a@1,b@2]
//	                            an input is the text of a refusal
//	ack TYPE, nack TYPE         a request that answers the last response
//	unknown URL                 a delta request for lines of names of a type that is not served
//	tick DURATION
//	state                       what the client holds
//	restart                     another server takes over: all streams end, nothing is published
func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	name := "c"
	var out strings.Builder
	if d.HasArg("client") {
		d.ScanArgs(t, "client", &name)
	}
	c := s.clients[name]
	switch d.Cmd {
	case "publish":
		before := s.store.Latest()
		if s.store.publish(changes(t, d.Input)); s.store.Latest() == before {
			out.WriteString("nothing published\n")
		}
		for _, c := range s.clients {
			c.Publish(s.store.Latest())
		}
	case "keep-nothing":
		s.store.KeepNothing()
		return ""
	case "restart":
		s.store, s.clients = newKeeper(), make(map[string]*client)
		return ""
	case "connect":
		c = &client{sotw: d.HasArg("sotw"), versions: d.HasArg("versions")}
		if c.sotw {
			c.Session = NewSotwSession(s.store.Latest(), 5*time.Second)
		} else {
			c.Session = NewDeltaSession(s.store.Latest(), 5*time.Second, 100)
		}
		s.clients[name] = c
	case "request":
		c.Request(request(t, d))
	case "ack", "nack":
		r := request(t, d)
		r.Nonce = c.nonce[r.Type]
		if d.Cmd == "ack" {
			r.Version = c.version[r.Type]
		}
		c.Request(r)
	case "tick":
		by, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(by)
	case "unknown":
		out.WriteString(text(c.respondUnknown(d.CmdArgs[0].Key, strings.Fields(d.Input))))
	case "state":
		c.changed = true
		state, _ := c.State()
		return stateText(state)
	default:
		t.Fatalf("no such command: %s", d.Cmd)
	}
	for _, name := range slices.Sorted(maps.Keys(s.clients)) {
		s.drain(&out, name)
	}
	if out.Len() == 0 {
		return "nothing sent\n"
	}
	return out.String()
}

// drain writes down all that a client is sent, and what happened.
func (s *script) drain(out *strings.Builder, name string) {
	c := s.clients[name]
	prefix := ""
	if name != "c" {
		prefix = name + " "
	}
	for {
		t, r := c.Next(s.now)
		for _, e := range c.Events() {
			switch e.Kind {
			case Refused:
				fmt.Fprintf(out, "%srefused: %s %s@%s: %s\n", prefix, e.Type, e.Resource.Name, e.Resource.Version, e.Reason)
				s.store.Suspect(e.Resource, e.Has)
				s.store.keep()
				for _, other := range s.clients {
					other.Publish(s.store.Latest())
				}
			case AckTimeout:
				fmt.Fprintf(out, "%stimeout: %s\n", prefix, e.Type)
			case NoClusters:
				fmt.Fprintf(out, "%sdoes not ask for clusters\n", prefix)
			case EarlyRefusal:
				fmt.Fprintf(out, "%searly refusal: %s: %s\n", prefix, e.Type, e.Reason)
			}
		}
		if r == nil {
			return
		}
		c.nonce[t], c.version[t] = r.Nonce, r.Version
		out.WriteString(prefix)
		if c.versions {
			fmt.Fprintf(out, "version %s ", r.Version)
		}
		out.WriteString(text(r))
	}
}

func text(r *Response) string {
	var b strings.Builder
	t, known := TypeByURL(r.TypeURL)
	name := r.TypeURL
	if known {
		name = t.String()
	}
	fmt.Fprintf(&b, "%s #%s:", name, r.Nonce)
	up := make([]string, 0, len(r.Upserts))
	for _, res := range r.Upserts {
		up = append(up, " "+res.Name+"@"+res.Version+attemptOf(res))
	}
	slices.Sort(up)
	b.WriteString(strings.Join(up, ""))
	for _, name := range r.Removes {
		b.WriteString(" -" + name)
	}
	if len(r.Upserts)+len(r.Removes) == 0 {
		b.WriteString(" (empty)")
	}
	return b.String() + "\n"
}

// attemptOf returns the "#n" of a scope's route configuration.
func attemptOf(r *Resource) string {
	if r.Type != ScopedRoute {
		return ""
	}
	m := new(route.ScopedRouteConfiguration)
	if err := proto.Unmarshal(r.body(), m); err != nil {
		return " " + err.Error()
	}
	_, attempt, found := strings.Cut(m.GetRouteConfiguration().GetName(), "#")
	if !found {
		return ""
	}
	return "#" + attempt
}

func stateText(state StreamState) string {
	var b strings.Builder
	for t, ts := range state.Types {
		if ts.Active {
			fmt.Fprintf(&b, "%s: acked %d\n", Type(t), ts.Acked)
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(state.Exceptions), func(a, b ResourceName) int { return strings.Compare(a.Name, b.Name) }) {
		e := state.Exceptions[name]
		word := "trying"
		if e.Refused {
			word = "refused"
		}
		fmt.Fprintf(&b, "%s %s@%s: %s: %s\n", name.Type, name.Name, e.Version, word, e.Reason)
	}
	return b.String()
}

// changes reads lines of "TYPE NAME@VERSION [placeholder] [needs=a,b]" and "TYPE -NAME".
func changes(t *testing.T, input string) (out []Change) {
	t.Helper()
	for line := range strings.Lines(input) {
		f := strings.Fields(line)
		typ := typeNamed(t, f[0])
		if name, gone := strings.CutPrefix(f[1], "-"); gone {
			out = append(out, Change{Type: typ, Name: name})
			continue
		}
		name, version, _ := strings.Cut(f[1], "@")
		r := testResource(typ, name, version)
		for _, more := range f[2:] {
			if needs, ok := strings.CutPrefix(more, "needs="); ok {
				r.Needs = strings.Split(needs, ",")
			} else {
				r.Placeholder = more == "placeholder"
			}
		}
		out = append(out, Change{Type: typ, Name: name, Resource: r})
	}
	return out
}

// testResource returns a small resource under a version of its own.
func testResource(typ Type, name, version string) *Resource {
	var m proto.Message
	switch typ {
	case Cluster:
		m = &cluster.Cluster{Name: name, AltStatName: version}
	case Endpoint:
		m = &endpoint.ClusterLoadAssignment{ClusterName: name, NamedEndpoints: map[string]*endpoint.Endpoint{version: {}}}
	case Listener:
		m = &listener.Listener{Name: name, StatPrefix: version}
	case Route:
		m = &route.RouteConfiguration{Name: name, VirtualHosts: []*route.VirtualHost{{Name: version}}}
	case ScopedRoute:
		m = testScope(name, version, name)
	}
	r, err := NewResource(typ, m)
	if err != nil {
		panic(err)
	}
	r = withVersion(r, version)
	if typ == ScopedRoute {
		r.Again = func(_ proto.Message, n int) proto.Message {
			return testScope(name, version, fmt.Sprintf("%s#%d", name, n))
		}
	}
	return r
}

func testScope(name, version, routes string) *route.ScopedRouteConfiguration {
	return &route.ScopedRouteConfiguration{Name: name, RouteConfiguration: &route.RouteConfiguration{
		Name: routes, VirtualHosts: []*route.VirtualHost{{Name: version, Domains: []string{wildcard}}},
	}}
}

func typeNamed(t testing.TB, name string) Type {
	t.Helper()
	for typ := range numTypes {
		if typ.String() == name {
			return typ
		}
	}
	t.Fatalf("no such type: %s", name)
	return 0
}

// request reads the arguments and the input of a request.
func request(t *testing.T, d *datadriven.TestData) *Request {
	t.Helper()
	r := &Request{Type: typeNamed(t, d.CmdArgs[0].Key)}
	for _, arg := range d.CmdArgs[1:] {
		list := strings.Split(arg.Vals[0], ",")
		switch arg.Key {
		case "nonce":
			r.Nonce = arg.Vals[0]
		case "version":
			r.Version = arg.Vals[0]
		case "names":
			r.Names = list
		case "sub":
			r.Subscribe = list
		case "unsub":
			r.Unsubscribe = list
		case "claims":
			for _, c := range list {
				name, version, _ := strings.Cut(c, "@")
				r.Claims = append(r.Claims, Claim{name, version})
			}
		case "client":
		default:
			t.Fatalf("no such argument: %s", arg.Key)
		}
	}
	if text := strings.TrimSpace(d.Input); text != "" {
		r.Refused, r.Reason = true, text
	}
	return r
}

// withVersion returns a resource under a version that a person can read.
func withVersion(r *Resource, version string) *Resource {
	c := *r
	c.fill(r.Name, version, r.body())
	return &c
}
