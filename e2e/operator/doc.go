// Package operator runs our own binary, the one that `make build` builds, as a
// person would: by its command line.
//
// It is the one place outside the main package that knows the flags, so that a
// renamed one is renamed here.
//
// Read first: [Options], [Start], [Operator]; [Bootstrap] for what Envoy needs to
// find the server.
package operator
