package translate

import (
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/envoy"
)

// The objects that a World translates.
type (
	Key         = object.Key
	Kind        = object.Kind
	Ref         = object.Ref
	Object      = object.Object
	Site        = object.Site
	Service     = object.Service
	ServicePort = object.ServicePort
	Slice       = object.Slice
	SlicePort   = object.SlicePort
	Endpoint    = object.Endpoint
	Policy      = object.Policy
	DomainMatch = object.DomainMatch
	Namespace   = object.Namespace
)

// The kinds of objects.
const (
	KindSite      = object.KindSite
	KindService   = object.KindService
	KindSlice     = object.KindSlice
	KindPolicy    = object.KindPolicy
	KindNamespace = object.KindNamespace
)

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
