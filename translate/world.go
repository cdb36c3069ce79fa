package translate

import (
	"hash/maphash"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/index"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/claims"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/spec"
	"my-company.com/staticsite-operator/translate/upstream"
)

// A World is all objects and what they were translated to. It belongs to one
// goroutine; what it hands out is never modified afterwards.
//
// Invariant, between two calls of Apply: everything here is a function of the
// objects and of the last valid specification of each site and policy that is
// invalid (site.good, and in the room claims policy.good).
type World struct {
	opts     envoy.Options
	sites    *index.Table[object.Key, site]
	claims   *claims.Book[*site, scope]             // with the scope of each domain as last handed out
	backends *index.Table[object.Key, backend]      // Services that exist, are named by a site, or have slices
	slices   *index.Table[object.Key, object.Slice] // to know what a slice was before it changed

	kept  map[string]bool                 // clusters by name: see Kept
	table map[string]*routev3.VirtualHost // layout single: the virtual host of each domain
	begun bool                            // what no object causes has been handed out

	seed    maphash.Seed // of digests
	scratch []byte       // for digests
}

// A site is one StaticSite and what is known of it.
//
// Invariant: while spec is valid, good is spec. So the domains that are served by good
// are served by the present specification, or by the last valid one.
type site struct {
	key   object.Key
	claim claims.Claim // written by World.claims; without a Site once the object is gone
	spec  *spec.Spec   // the present specification

	// good is the last valid specification; nil when none was seen. It is all that the
	// past leaves behind. While what it renders as stays the same, so does the pointer.
	good     *spec.Spec
	rendered uint64 // digest of what good renders as

	said uint64 // digest of the verdict that was handed out last
}

// Claim returns what the site claims (claims.Claimant).
func (s *site) Claim() *claims.Claim { return &s.claim }

// A backend is one Service, what it depends on, and what depends on it.
type backend struct {
	upstream.Service
	sites    []*site    // whose specification names it, in no order: nearly always one
	clusters []*cluster // those that scopes lead to: nearly always one
}

// A cluster is one port of a Service that at least one scope leads to.
type cluster struct {
	backend *backend
	name    string
	members []envoy.Member // as last handed out
	users   int            // scopes that lead to it
	port    int32

	sent     bool // it is handed out
	assigned bool // so are its members, be there any or not
	crowded  bool // there are more than members

	shape envoy.Shape // as last handed out
}

// NewWorld returns a World without objects. Options left out have the values
// that the command line gives them.
func NewWorld(opts envoy.Options) *World {
	return &World{
		opts:     opts.WithDefaults(),
		sites:    index.New(func(s *site) object.Key { return s.key }),
		claims:   claims.NewBook[*site, scope](),
		backends: index.New(func(be *backend) object.Key { return be.Key }),
		slices:   index.New(func(s *object.Slice) object.Key { return s.Key }),
		kept:     make(map[string]bool),
		table:    make(map[string]*routev3.VirtualHost),
		seed:     maphash.MakeSeed(),
	}
}

// Apply takes in what changed (a nil Object: it is gone) and returns what that
// did to the configuration and to the verdicts. The first call also returns the
// resources that no object causes: the listener, and in layout single the route
// configuration, empty or not.
//
// It costs what the changes touch, except in layout single, where a changed
// route rebuilds the one route configuration, once.
func (w *World) Apply(changes map[object.Ref]object.Object) Delta {
	b := newBatch(w)
	for ref, o := range changes {
		b.take(ref, o)
	}
	b.decide()
	b.buildScopes()
	b.checkEndpoints()
	b.buildClusters()
	b.buildShared()
	b.judgeSites()
	b.forget()
	return b.delta()
}
