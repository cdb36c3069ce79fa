package translate

import "my-company.com/staticsite-operator/object"

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
