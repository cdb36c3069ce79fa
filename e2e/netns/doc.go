// Package netns runs a program in a network namespace of its own, so that every
// port is free, nothing reaches another machine, and servers have addresses
// that are not loopback (the Kubernetes API refuses those in EndpointSlices).
//
//	func TestMain(m *testing.M) { netns.Main(m) }
//
// Or by [MainEach], which gives each test a namespace of its own and runs several at
// a time; or, where it is no test binary, by [Run]. The binary starts itself again inside
// the namespace; the outer process hands on signals and the exit code, and its
// standard streams are the inner one's. Where the user is not allowed a network
// namespace, a user namespace provides the right, so no sudo is needed; where
// that is forbidden too, it says what to enable.
//
// Inside, 127.0.0.0/8 works as everywhere, and [Addr] names the others: 192.0.2.1
// to 192.0.2.9, from the block that RFC 5737 reserves for documentation, so that
// they are nobody's.
package netns
