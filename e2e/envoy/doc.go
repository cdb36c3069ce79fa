// Package envoy starts a real Envoy with a given bootstrap, and asks it what it
// runs with.
//
// The admin interface may have any port, 0 included: Envoy says which one it got.
// What Envoy serves is the bootstrap's business; give each Envoy of a test its own
// listener ports or addresses, because two of them on one share it silently.
//
// Read first: [Start] and [Envoy]; [Validate] for configuration that is not to run.
package envoy
