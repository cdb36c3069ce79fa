// Package parts finds the real programs that tests and the playground run: Envoy,
// the API server, etcd, kubectl, and our own binary.
//
// It never builds or downloads anything: the Makefile does, and an error of this
// package says which target. It is also the one place that knows in which order a
// person's own programs are preferred ($ENVOY, $KUBEBUILDER_ASSETS, PATH).
//
// Read first: [Find] and [Envoy].
package parts
