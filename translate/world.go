package translate

import (
	"cmp"
	"hash/maphash"
	"net/netip"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/index"
	"my-company.com/staticsite-operator/translate/claims"
)

// A World is all objects and what they were translated to. It belongs to one
// goroutine; what it hands out is never modified afterwards.
//
// Invariant, between two calls of Apply: everything here is a function of the
// objects and of the last valid specification of each site and policy that is
// invalid (site.good, policy.good).
type World struct {
	opts     Options
	sites    *index.Table[Key, site]
	claims   *claims.Book[*site, scope] // with the scope of each domain as last handed out
	backends *index.Table[Key, backend] // Services that exist, are named by a site, or have slices
	slices   *index.Table[Key, Slice]   // to know what a slice was before it changed

	kept  map[string]bool                 // clusters by name: see Kept
	table map[string]*routev3.VirtualHost // layout single: the virtual host of each domain
	begun bool                            // what no object causes has been handed out

	digests maphash.Seed // of verdicts
}

// A site is one StaticSite and what is known of it.
type site struct {
	key   Key
	claim claims.Claim // written by World.claims; without a Site once the object is gone
	spec  judged       // its present specification

	// good is the last valid specification: the present one, unless that is
	// invalid. Nil when none was seen. It is all that the past leaves behind.
	good *goodSpec

	said uint64 // digest of the verdict that was handed out last
}

// Claim returns what the site claims (claims.Claimant).
func (s *site) Claim() *claims.Claim { return &s.claim }

// A backend is one Service, what it depends on, and what depends on it.
type backend struct {
	key      Key
	service  *Service          // nil: it does not exist
	slices   []*Slice          // sorted by name
	refused  string            // what is wrong with its endpoints, empty when nothing is
	spoken   map[string]string // what its slices say of the protocol of its ports; see appProtocols
	sites    []*site           // whose specification names it, in no order: nearly always one
	clusters []*cluster        // those that scopes lead to: nearly always one
}

// A cluster is one port of a Service that at least one scope leads to.
type cluster struct {
	backend *backend
	needs   [1]string // its name, for all that leads to it
	members []member  // as last handed out
	users   int       // scopes that lead to it
	port    int32

	sent     bool // it is handed out
	assigned bool // so are its members, be there any or not
	crowded  bool // there are more than members

	shape clusterShape // as last handed out
}

// NewWorld returns a World without objects. Options left out have the values
// that the command line gives them.
func NewWorld(opts Options) *World {
	opts.Routes = cmp.Or(opts.Routes, RoutesScoped)
	opts.Upstreams = cmp.Or(opts.Upstreams, UpstreamsEndpoints)
	opts.HTTPAddress = cmp.Or(opts.HTTPAddress, netip.IPv6Unspecified())
	opts.HTTPPort = cmp.Or(opts.HTTPPort, 8080)
	return &World{
		opts:     opts,
		sites:    index.New(func(s *site) Key { return s.key }),
		claims:   claims.NewBook[*site, scope](),
		backends: index.New(func(be *backend) Key { return be.key }),
		slices:   index.New(func(s *Slice) Key { return s.Key }),
		kept:     make(map[string]bool),
		table:    make(map[string]*routev3.VirtualHost),
		digests:  maphash.MakeSeed(),
	}
}

// Apply takes in what changed (a nil Object: it is gone) and returns what that
// did to the configuration and to the verdicts. The first call also returns the
// resources that no object causes: the listener, and in layout single the route
// configuration, empty or not.
//
// It costs what the changes touch, except in layout single, where a changed
// route rebuilds the one route configuration, once.
func (w *World) Apply(changes map[Ref]Object) Delta {
	b := newBatch(w)
	for ref, object := range changes {
		b.take(ref, object)
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
