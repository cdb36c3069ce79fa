// Package translate turns StaticSites, Services and EndpointSlices into Envoy
// configuration, within what SiteDomainPolicies permit, and says of each site what
// is served or what is wrong with it.
//
// It is pure: no I/O, no clock, no logger, no goroutine. The result depends on
// the objects alone, never on the order in which they came; the one memory of
// the past is the last valid specification of a site or policy whose present one
// is invalid, so that a typo takes nobody's site down.
//
// It is incremental: a change is followed through indexes to the resources that
// it touches, and nothing else is looked at. The steps of one Apply are
//
//	objects -> grants -> claims -> scopes -> clusters and endpoints -> verdicts
//
// each working only on what the one before has marked.
//
// Read first: World (world.go), whose Apply is the whole of it; Site and its
// fellows (object.go), which go in; Delta (result.go), which comes out.
// Bootstrap (bootstrap.go) renders the other half, what a proxy is started with.
package translate
