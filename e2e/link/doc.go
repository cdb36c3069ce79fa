// Package link puts a TCP link between two programs into a test's hands: it can
// be cut, which both ends notice at once, and it can be frozen, which neither
// does.
//
// A frozen link is what a hung network looks like: connections stay open, new
// ones are accepted, the kernel answers TCP keepalives, and not one byte arrives.
// Killing a program shows something else: its connections are reset and new ones
// refused.
//
// Read first: [Proxy].
package link
