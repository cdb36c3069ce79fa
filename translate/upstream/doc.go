// Package upstream says what a Service and its EndpointSlices amount to for a proxy:
// which of its ports can be served, what a port speaks, which endpoints are used,
// and what is wrong with any of these, in words for the owner of a site.
//
// It follows kube-proxy where it can: docs/architecture.md ("What is read") has the
// differences. It knows nothing of sites.
//
// Read first: Service (service.go); Port (port.go), Members (members.go), and the
// addresses that no endpoint may have (address.go).
package upstream
