package envoy

import (
	"cmp"
	"net/netip"
)

// Options are the operator's choices; they hold for all sites.
type Options struct {
	Routes    RouteLayout // empty means scoped
	Upstreams Upstreams   // empty means endpoints

	HTTPAddress netip.Addr // of the listener on every proxy; zero means ::, which is IPv4 and IPv6
	HTTPPort    uint32     // of the listener on every proxy; 0 means 8080
	TrustedHops uint32     // proxies in front of ours whose X-Forwarded-For is believed

	// PublicScheme and PublicPort are what readers write in their browsers, where that
	// is known better than it can be seen. Empty and 0: what is seen.
	PublicScheme Scheme
	PublicPort   uint32

	// MergeSlashes makes // in a path / and redirects from encoded slashes to plain
	// ones. Otherwise backends get paths with the slashes as they came.
	MergeSlashes bool

	// AllowedEndpoints are ranges in which endpoints are accepted although their
	// kind (loopback, link-local, ...) is refused by default.
	AllowedEndpoints []netip.Prefix
}

// WithDefaults returns the options with those left out as the command line has them.
func (o Options) WithDefaults() Options {
	o.Routes = cmp.Or(o.Routes, RoutesScoped)
	o.Upstreams = cmp.Or(o.Upstreams, UpstreamsEndpoints)
	o.HTTPAddress = cmp.Or(o.HTTPAddress, netip.IPv6Unspecified())
	o.HTTPPort = cmp.Or(o.HTTPPort, 8080)
	return o
}

// Scheme is a URL's.
type Scheme string

// The schemes.
const (
	SchemeHTTP  Scheme = "http"
	SchemeHTTPS Scheme = "https"
)

// RouteLayout says how routes are cut into resources (docs/decisions.md, "One scope
// per domain").
type RouteLayout string

// The layouts.
const (
	RoutesScoped RouteLayout = "scoped" // a ScopedRouteConfiguration per domain, its routes inlined
	RoutesSingle RouteLayout = "single" // one RouteConfiguration for all
)

// Upstreams says how proxies find the pods of a Service (docs/decisions.md,
// "Endpoints are pushed").
type Upstreams string

// The kinds of upstream.
const (
	UpstreamsEndpoints Upstreams = "endpoints" // EDS, from EndpointSlices
	UpstreamsDNS       Upstreams = "dns"       // STRICT_DNS to the Service's cluster name
)
