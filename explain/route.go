package explain

import (
	"regexp"
	"slices"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/feature"
)

// Route is the way that a request takes through the configuration.
type Route struct {
	From     string `json:"from"`     // proxies: as they acknowledged it; objects: as it would be made of them
	Layout   string `json:"layout"`   // scoped or single
	Resource string `json:"resource"` // the scope, or the one route configuration

	VirtualHost string `json:"virtualHost"`
	Name        string `json:"name"`              // the site that the route is of, NAMESPACE/NAME
	Match       string `json:"match"`             // such as "prefix /"
	Cluster     string `json:"cluster,omitempty"` // empty if the proxy answers by itself
	Status      uint32 `json:"status,omitempty"`  // with this

	// Features is what else becomes of the request or its answer, a line for each thing
	// that the site's specification asks for: its field, and what is done.
	Features []string `json:"features,omitempty"`

	resource translate.ResourceName
}

// Where a Route is from.
const (
	fromProxies = "proxies"
	fromObjects = "objects"
)

// config is a set of xDS resources.
type config map[translate.ResourceName]proto.Message

// follow returns the way of a request for a domain and path, as Envoy finds it;
// nil if there is none. Where servers of both layouts were asked, that of the
// domain's scope is the one that is told.
func (c config) follow(domain, path string) *Route {
	for _, name := range translate.RouteNames(domain) { // the scope's before the table's
		if scope, ok := find[*routev3.ScopedRouteConfiguration](c, name); ok {
			r := &Route{Layout: string(translate.RoutesScoped), resource: translate.ResourceName{Type: scopeURL, Name: name}}
			return r.enter(scope.GetRouteConfiguration(), domain, path)
		}
		if table, ok := find[*routev3.RouteConfiguration](c, name); ok {
			r := &Route{Layout: string(translate.RoutesSingle), resource: translate.ResourceName{Type: tableURL, Name: name}}
			return r.enter(table, domain, path)
		}
	}
	return nil
}

// enter takes the virtual host of a domain, nil if there is none.
func (r *Route) enter(routes *routev3.RouteConfiguration, domain, path string) *Route {
	r.Resource = r.resource.Name
	for _, host := range routes.GetVirtualHosts() {
		if slices.Contains(host.GetDomains(), domain) || slices.Contains(host.GetDomains(), "*") {
			r.VirtualHost, r.Features = host.GetName(), feature.Describe(host)
			return r.match(host.GetRoutes(), path)
		}
	}
	return nil
}

// match takes the first route that matches, nil if none does.
func (r *Route) match(routes []*routev3.Route, path string) *Route {
	for _, route := range routes {
		match, ok := matches(route.GetMatch(), path)
		if !ok {
			continue
		}
		r.Name, r.Match = route.GetName(), match
		r.Cluster = route.GetRoute().GetCluster()
		r.Status = route.GetDirectResponse().GetStatus()
		return r
	}
	return nil
}

func matches(m *routev3.RouteMatch, path string) (words string, ok bool) {
	switch p := m.GetPathSpecifier().(type) {
	case *routev3.RouteMatch_Prefix:
		return "prefix " + p.Prefix, strings.HasPrefix(path, p.Prefix)
	case *routev3.RouteMatch_Path:
		return "path " + p.Path, path == p.Path
	case *routev3.RouteMatch_SafeRegex:
		whole, err := regexp.Compile("^(?:" + p.SafeRegex.GetRegex() + ")$")
		return "regex " + p.SafeRegex.GetRegex(), err == nil && whole.MatchString(path)
	}
	return "", false
}

// Cluster is what a route leads to.
type Cluster struct {
	Name      string `json:"name"`
	Upstreams string `json:"upstreams"` // endpoints or dns
	Service   string `json:"service"`   // NAMESPACE/NAME
	Port      int32  `json:"port"`

	key object.Key // the Service's
}

// cluster describes the cluster of a name; nil if it is not one of ours.
func (c config) cluster(name string) *Cluster {
	service, port, ok := envoy.ServiceOf(name)
	if !ok {
		return nil
	}
	out := &Cluster{Name: name, Upstreams: string(translate.UpstreamsEndpoints), Service: service.String(), Port: port, key: service}
	if m, ok := find[*clusterv3.Cluster](c, name); ok && m.GetType() == clusterv3.Cluster_STRICT_DNS {
		out.Upstreams = string(translate.UpstreamsDNS)
	}
	return out
}

// members returns the addresses of a cluster's endpoints, with their zones, and
// whether they are known.
func (c config) members(cluster string) (members []Endpoint, known bool) {
	m, known := find[*endpointv3.ClusterLoadAssignment](c, cluster)
	for _, locality := range m.GetEndpoints() {
		for _, e := range locality.GetLbEndpoints() {
			a := e.GetEndpoint().GetAddress().GetSocketAddress()
			members = append(members, Endpoint{
				Address: joinHostPort(a.GetAddress(), a.GetPortValue()), Zone: locality.GetLocality().GetZone(), Ready: true, Used: true,
			})
		}
	}
	return members, known
}

func find[M proto.Message](c config, name string) (M, bool) {
	var none M
	m, ok := c[translate.ResourceName{Type: envoy.TypeURL(none), Name: name}].(M)
	return m, ok
}
