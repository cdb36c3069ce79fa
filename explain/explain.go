package explain

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/translate/envoy"
)

// Explain answers Facts.Target. It translates the objects as a server would, and
// holds what comes of it against what proxies have.
func Explain(f Facts) *Explanation {
	x := begin(f)
	x.countProxies()
	x.conditions()
	x.conclude()
	return x.out
}

// begin goes as far as to know the site and the way of the request.
func begin(f Facts) *explainer {
	x := &explainer{Facts: f, out: &Explanation{
		Asked: f.Target.Asked, Domain: f.Target.Domain, Path: f.Target.Path,
		Source: f.Source, Servers: f.Servers, Notes: slices.Concat(f.Target.Notes, f.Notes),
	}}
	x.readProxies()
	x.translate()
	x.findSite()
	x.findWay()
	return x
}

// explainer is an explanation under way, in the order in which its parts follow
// from each other.
type explainer struct {
	Facts
	out *Explanation

	proxies  []*Proxy    // the clients that serve requests, or do not read
	idle     []ProxyFact // those that would, and lack something
	observed config      // what some proxy acknowledged

	world    *translate.World
	made     config // of the objects
	verdicts map[object.Key]translate.Verdict

	claims  []translate.Claim
	site    object.Key // the one that is explained; zero: none
	known   bool       // it exists
	verdict translate.Verdict
	holds   bool // it holds the domain

	expected *Route // what would be made of the objects
	behind   []ProxyFact

	accepted, resolved, programmed Condition // as they are now
	differs                        bool      // the status says something else
}

var (
	listenerURL   = envoy.ListenerType
	clusterURL    = envoy.ClusterType
	assignmentURL = envoy.AssignmentType
	scopeURL      = envoy.ScopeType
	tableURL      = envoy.TableType
)

// readProxies tells proxies from other clients, which ask for no listener, and
// takes the server's options from what it serves.
func (x *explainer) readProxies() {
	x.observed = make(config)
	for i := range x.Proxies {
		p := &x.Proxies[i]
		if !p.asks(listenerURL) && !p.Silent {
			continue
		}
		if why := p.lacks(); why != "" {
			for _, h := range p.Holdings {
				x.believe(h)
			}
			x.idle = append(x.idle, ProxyFact{Server: p.Server, Node: p.Node, Address: p.Address, State: NotServing, Error: why})
			continue
		}
		x.proxies = append(x.proxies, p)
		for _, h := range p.Holdings {
			if h.State == Acknowledged && h.Message != nil {
				x.observed[translate.ResourceName{Type: h.Type, Name: h.Name}] = h.Message
			}
			x.believe(h)
		}
	}
}

// believe takes an option from a resource that was made with it.
func (x *explainer) believe(h Holding) {
	switch m := h.Message.(type) {
	case *routev3.RouteConfiguration:
		x.Options.Routes = translate.RoutesSingle
	case *routev3.ScopedRouteConfiguration:
		x.Options.Routes = translate.RoutesScoped
	case *clusterv3.Cluster:
		x.Options.Upstreams = translate.UpstreamsEndpoints
		if m.GetType() == clusterv3.Cluster_STRICT_DNS {
			x.Options.Upstreams = translate.UpstreamsDNS
		}
	case *endpointv3.ClusterLoadAssignment:
		members, _ := config{{Type: h.Type, Name: h.Name}: m}.members(h.Name)
		for _, e := range members {
			if address, err := netip.ParseAddrPort(e.Address); err == nil {
				x.Options.AllowedEndpoints = append(x.Options.AllowedEndpoints, netip.PrefixFrom(address.Addr(), address.Addr().BitLen()))
			}
		}
	}
}

func (x *explainer) translate() {
	x.world = translate.NewWorld(x.Options)
	delta := x.world.Apply(x.Objects)
	x.made = make(config, len(delta.Resources))
	for _, r := range delta.Resources {
		x.made[translate.ResourceName{Type: r.Type, Name: r.Name}] = r.Message
	}
	x.verdicts = make(map[object.Key]translate.Verdict, len(delta.Verdicts))
	for _, v := range delta.Verdicts {
		x.verdicts[v.Site] = v
	}
}

// findSite finds the site that is explained: the one that was asked about, or
// else the first that claims the domain.
func (x *explainer) findSite() {
	x.site = x.Target.Site
	if v, ok := x.verdicts[x.site]; ok {
		x.out.Domain = cmp.Or(v.Domain, first(v.Holds))
	}
	if x.out.Domain != "" {
		x.claims = x.world.Claims(x.out.Domain)
	}
	if x.site == (object.Key{}) && len(x.claims) > 0 {
		x.site = x.claims[0].Site
	}
	x.verdict, x.known = x.verdicts[x.site]
	x.holds = slices.Contains(x.verdict.Holds, x.out.Domain)
	if x.site != (object.Key{}) {
		x.out.Site = x.site.String()
	}
	x.out.Claims = order(x.claims, x.out.Domain)
	for _, c := range x.out.Claims {
		if c.Holds {
			x.out.Holder = c.Site
		}
	}
	if !x.known && x.Unread == "" {
		x.out.Nearest = nearest(x.Target, x.Known)
	}
}

// findWay follows the request: as the proxies have acknowledged it, or else as it
// would be made of the objects.
func (x *explainer) findWay() {
	if x.out.Domain == "" {
		return
	}
	x.expected = x.made.follow(x.out.Domain, x.Target.Path)
	route, from, source := x.observed.follow(x.out.Domain, x.Target.Path), x.observed, fromProxies
	if route == nil {
		route, from, source = x.expected, x.made, fromObjects
	}
	if route == nil {
		return
	}
	route.From = source
	x.out.Route = route
	if x.out.Cluster = from.cluster(route.Cluster); x.out.Cluster == nil {
		return
	}
	if _, known := from.members(route.Cluster); !known {
		from = x.made // No proxy has acknowledged any.
	}
	x.out.Endpoints = endpoints(from, x.out.Cluster, x.Objects)
}

// needed are the resources that a proxy must have to answer.
func (x *explainer) needed() []translate.ResourceName {
	r := x.out.Route
	if r == nil {
		return nil
	}
	names := []translate.ResourceName{r.resource}
	if c := x.out.Cluster; c != nil {
		names = append(names, translate.ResourceName{Type: clusterURL, Name: c.Name})
		if c.Upstreams == string(translate.UpstreamsEndpoints) {
			names = append(names, translate.ResourceName{Type: assignmentURL, Name: c.Name})
		}
	}
	return names
}

// farness orders states: the first is that of a resource that is least far.
var farness = []State{Silent, Refused, TriedAgain, Missing, NotAsked, Waiting, Sent, Acknowledged}

// countProxies says of each proxy which of the needed resources is least far.
func (x *explainer) countProxies() {
	needed := x.needed()
	if needed == nil {
		return
	}
	x.out.Proxies = append(x.out.Proxies, x.idle...)
	for _, p := range x.proxies {
		fact := ProxyFact{Server: p.Server, Node: p.Node, Address: p.Address, State: Acknowledged}
		if p.Silent {
			fact.State = Silent
		}
		for _, name := range needed {
			h := p.holding(name)
			if slices.Index(farness, h.State) < slices.Index(farness, fact.State) {
				fact.State, fact.Error, fact.Resource = h.State, h.Error, short(name)
			}
		}
		x.out.Proxies = append(x.out.Proxies, fact)
		if fact.State != Acknowledged {
			x.behind = append(x.behind, fact)
		}
	}
}

// short names a resource as people do, such as "cluster docs_docs-svc_80_cluster".
func short(r translate.ResourceName) string {
	word := r.Type[strings.LastIndexByte(r.Type, '.')+1:]
	if w, ok := map[string]string{
		"ScopedRouteConfiguration": "scope", "RouteConfiguration": "route configuration", "Cluster": "cluster", "ClusterLoadAssignment": "endpoints of",
	}[word]; ok {
		word = w
	}
	return word + " " + r.Name
}

// unasked reports whether some server did not say what its clients hold.
func (x *explainer) unasked() bool {
	return slices.ContainsFunc(x.Servers, func(s Server) bool { return s.Error != "" })
}

// agrees reports whether the proxies' way is the one that the objects ask for.
func (x *explainer) agrees() bool {
	r := x.out.Route
	return r != nil && r.From == fromProxies &&
		(x.Unread != "" || x.expected != nil && x.expected.Name == r.Name && (x.expected.Cluster == r.Cluster || !x.verdict.Accepted.OK))
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func condition(typ string, c translate.Condition) Condition {
	status := "False"
	if c.OK {
		status = "True"
	}
	return Condition{From: fromObjects, Type: typ, Status: status, Reason: c.Reason, Message: c.Message}
}

// conditions says how the site stands: as its status has it or, where nobody
// keeps one, as it is now.
func (x *explainer) conditions() {
	if !x.known {
		return
	}
	x.accepted = condition(v1alpha1.ConditionAccepted, x.verdict.Accepted)
	x.resolved = condition(v1alpha1.ConditionResolvedRefs, x.verdict.ResolvedRefs)
	x.programmed = x.judgeProgrammed()
	status := x.Statuses[x.site]
	for _, c := range status.Conditions {
		x.out.Conditions = append(x.out.Conditions, Condition{"status", c.Type, string(c.Status), c.Reason, c.Message})
	}
	if x.BackendUnread != "" {
		x.resolved = x.said(v1alpha1.ConditionResolvedRefs) // Only the server knows.
		x.out.Notes = append(x.out.Notes, x.BackendUnread)
	}
	if x.Statuses == nil {
		x.out.Conditions = []Condition{x.accepted, x.resolved, x.programmed}
		return
	}
	x.compare(status)
}
