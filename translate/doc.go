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
// This room knows what depends on what. What each thing is, the rooms below decide:
//
//	spec            what is wrong with a site by itself, and what it asks for
//	feature         the optional fields of a specification, a file each
//	claims          which site has which domain
//	upstream        what a Service and its EndpointSlices amount to
//	envoy           how all of it is written as Envoy's messages
//	envoy/listener  the one listener, which no site is in
//	envoy/bootstrap what a proxy is started with
//	hostname, text  host names; users' words in messages
//	evil            ways to be evil, for tests
//
// Read first: World (world.go), whose Apply is the whole of it; the objects in the
// room object, which go in; Delta (result.go), which comes out.
//
// Glossary:
//
//	scope        a site and the specification that decides a domain's routes; also
//	             Envoy's word for the resource that this becomes
//	holder       the site that has a domain (claims)
//	good         the last valid specification of a site
//	placeholder  routes that answer 503, for a holder without a good specification
//	verdict      what is said of a site: its conditions, and what proxies must acknowledge
//	touched      of a site: its resources changed, so it has a verdict even if that
//	             says what the last one said
package translate
