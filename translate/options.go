package translate

import "my-company.com/staticsite-operator/translate/envoy"

// The operator's choices.
type (
	Options     = envoy.Options
	RouteLayout = envoy.RouteLayout
	Upstreams   = envoy.Upstreams
	Scheme      = envoy.Scheme
)

// Their values.
const (
	RoutesScoped       = envoy.RoutesScoped
	RoutesSingle       = envoy.RoutesSingle
	UpstreamsEndpoints = envoy.UpstreamsEndpoints
	UpstreamsDNS       = envoy.UpstreamsDNS
	SchemeHTTP         = envoy.SchemeHTTP
	SchemeHTTPS        = envoy.SchemeHTTPS
)
