package xds

import "slices"

// Type is a kind of xDS resource. It indexes the type table, so that what a
// stream holds of each is an array, not a map.
type Type uint8

// The types that are served. A further one is a row in the table below and, if
// others depend on it, a place in stages.
const (
	Cluster Type = iota
	Endpoint
	Listener
	ScopedRoute
	Route
	numTypes
)

var types = [numTypes]struct {
	name, url string

	// wildcard: a first request without names asks for everything (rules 8, 9),
	// and a state-of-the-world response holds everything (rules 29, 30).
	wildcard bool

	// halfTaken: of a refused response Envoy applies the others, and names each that
	// it refused; of these it keeps an unfinished form until they are replaced or
	// removed (see Session.restore).
	halfTaken bool

	// again: a refusal may have a reason outside of the resource, so what is refused
	// is sent again after a pause (see Session.tryAgain).
	again bool
}{
	Cluster:     {name: "cluster", url: "type.googleapis.com/envoy.config.cluster.v3.Cluster", wildcard: true, halfTaken: true},
	Endpoint:    {name: "endpoint", url: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"},
	Listener:    {name: "listener", url: "type.googleapis.com/envoy.config.listener.v3.Listener", wildcard: true, again: true},
	ScopedRoute: {name: "scope", url: "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration", wildcard: true},
	Route:       {name: "route", url: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"},
}

// String returns a short name for logs and scripts, such as "cluster".
func (t Type) String() string { return types[t].name }

// URL returns the type URL, "type.googleapis.com/envoy...".
func (t Type) URL() string { return types[t].url }

// TypeByURL returns the type with the given URL, and whether it is served.
func TypeByURL(url string) (Type, bool) {
	for t := range numTypes {
		if types[t].url == url {
			return t, true
		}
	}
	return 0, false
}

// What a step of the order below sends.
const (
	upsert = 1 << iota
	remove
)

type step struct {
	t    Type
	what int
}

// stages is the make-before-break order. Unsolicited changes of a stage wait
// until the pushes of earlier stages are answered or have timed out; replies to
// a request never wait. Rules 49 and 54.
var stages = [...][]step{
	{{Cluster, upsert}, {Endpoint, upsert}}, // Rule 39: the CDS ACK waits for EDS, so never the reverse.
	{{Listener, upsert | remove}, {ScopedRoute, upsert | remove}, {Route, upsert | remove}},
	{{Cluster, remove}, {Endpoint, remove}},
}

// removesLater reports whether removals of the type have a stage of their own,
// after its upserts.
func removesLater(t Type) bool {
	return slices.Contains(stages[len(stages)-1], step{t, remove})
}
