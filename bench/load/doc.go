// Package load is the other side of a measurement: fleets of proxies that
// subscribe as Envoy does, acknowledge everything, and note when what arrived.
//
// A proxy is one TCP connection with one HTTP/2 stream, read by hand: on two
// cores every microsecond that a client takes is missing to the server. It skips
// the resources in a response and reads only its type, nonce, version and size.
//
// Read first: [Wants], what is asked for; [Fleet], who asks; [Proxy], one of them.
package load
