package translate

import (
	"strconv"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A scope is what decides a domain's routes. Equal scopes are equal bytes, so
// comparing them tells whether anything is to be handed out. The zero scope is
// none at all.
type scope struct {
	site        Key
	service     Key
	port        int32
	placeholder bool // no backend is known: its site was invalid from the first
}

func (s scope) none() bool { return s == scope{} }

// scopeOf returns the scope that a domain should have with this holder.
func scopeOf(name string, s *site) scope {
	switch {
	case s == nil:
		return scope{}
	case s.good == nil || s.good.domain != name:
		return scope{site: s.key, placeholder: true}
	}
	return scope{site: s.key, service: s.good.service, port: s.good.port}
}

// buildScopes hands out the routes of every domain whose holder, or whose
// holder's specification, changed; and counts whom they lead to.
func (b *batch) buildScopes() {
	for name, d := range b.domains {
		want := scopeOf(name, d.Holder)
		if want == d.Served {
			continue
		}
		b.leave(d.Served)
		b.enter(want)
		d.Served = want
		if d.Holder != nil {
			b.touched[d.Holder] = struct{}{}
		}
		if b.w.opts.Routes == RoutesSingle {
			b.setVirtualHost(name, want)
		} else {
			b.setScope(name, want, d.Holder)
		}
	}
}

// enter counts a scope that from now on leads to its cluster.
func (b *batch) enter(s scope) {
	if s.none() || s.placeholder {
		return
	}
	be := b.backend(s.service)
	c := be.cluster(s.port)
	if c == nil {
		c = &cluster{backend: be, port: s.port, needs: [1]string{clusterName(s.service, s.port)}}
		be.clusters = append(be.clusters, c)
	}
	c.users++
	b.clusters[c] = struct{}{}
}

// leave is the opposite of enter.
func (b *batch) leave(s scope) {
	if s.none() || s.placeholder {
		return
	}
	c := b.backend(s.service).cluster(s.port)
	c.users--
	b.clusters[c] = struct{}{}
}

func (b *batch) setScope(name string, s scope, holder *site) {
	if s.none() {
		b.remove(typeScope, name)
		return
	}
	routes := b.foreseen[holder]
	if routes == nil {
		routes = scopedRoutes(name, s)
	}
	b.upsert(Resource{
		Type:        typeScope,
		Name:        name,
		Message:     routes,
		Again:       renameRoutes,
		Needs:       b.needsOf(s),
		Placeholder: s.placeholder,
	})
}

// needsOf returns the cluster that a scope leads to. In upstreams dns a cluster is
// never kept for old routes: the Service's name may have come to stand for any
// other name (see dnsCluster).
func (b *batch) needsOf(s scope) []string {
	if s.placeholder || b.w.opts.Upstreams == UpstreamsDNS {
		return nil
	}
	return b.w.backends.Get(s.service).cluster(s.port).needs[:]
}

// setVirtualHost is setScope for layout single, where all virtual hosts are one
// resource: no stand-in for one of them can be marked as such, nor sent again.
func (b *batch) setVirtualHost(name string, s scope) {
	b.table = true
	if s.none() {
		delete(b.w.table, name)
		return
	}
	b.w.table[name] = virtualHost(s, name)
}

// scopedRoutes renders one domain's routes, inlined. There are as many of these
// as there are sites: whatever can be said once for all is in the listener.
func scopedRoutes(domain string, s scope) *routev3.ScopedRouteConfiguration {
	return &routev3.ScopedRouteConfiguration{
		Name: domain,
		Key: &routev3.ScopedRouteConfiguration_Key{
			Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{{
				Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: domain},
			}},
		},
		RouteConfiguration: routeConfiguration(domain, virtualHost(s, "*")),
	}
}

// renameRoutes gives a scope's routes the name of the n-th attempt.
func renameRoutes(message proto.Message, n int) proto.Message {
	s := message.(*routev3.ScopedRouteConfiguration)
	s.RouteConfiguration.Name = s.Name + "#" + strconv.Itoa(n)
	return s
}

var no = wrapperspb.Bool(false) // never modified

// routeConfiguration renders virtual hosts with what both layouts have in common.
func routeConfiguration(name string, hosts ...*routev3.VirtualHost) *routev3.RouteConfiguration {
	return &routev3.RouteConfiguration{
		Name:         name,
		VirtualHosts: hosts,
		// One site's missing cluster must not refuse everybody's routes: that site
		// alone answers 503 (design.md section 3).
		ValidateClusters: no,
		// A header rule of a route wins over the same one of its virtual host,
		// once there are any (design.md section 10).
		MostSpecificHeaderMutationsWins: true,
	}
}
