// Package xds is an aggregated discovery service for Envoy, state of the world
// and delta, written against the protocol's rules: a number in a comment is that
// of a row in docs/protocol-rules.md, which names its test.
//
// It carries resources, and does not know what they mean: no site, no
// Kubernetes, nothing of go-control-plane but the generated messages. It never
// asks what to serve, never waits for a client, and never sends what a client
// refused.
//
//	Store --Snapshot--> stream --Response--> client
//	                    |    ^
//	          Request, Snapshot, time
//	                    v    |
//	                    Session --Event, StreamState--> observers
//
// Read first: Snapshot (snapshot.go), everything that is served at one moment;
// Session (session.go), what one client wants, has and is owed; stream
// (stream.go), the goroutine that brings the two together and owns the socket.
//
// # The session
//
// A Session is a machine: no I/O, no goroutine, no clock, no lock. Whoever owns
// it, one goroutine, gives it what has happened and then asks what to do:
//
//	s.Request(r)      // the client said something
//	s.Publish(snap)   // there is a newer snapshot
//	for {
//		_, r := s.Next(now)          // what is due, one response at a time
//		for _, e := range s.Events() // what others must know: refusals, timeouts
//		if r == nil { break }
//		send(r)
//	}
//	s.State()         // how far the client is, if that has changed
//	s.Deadline()      // when to ask again though nothing happened
//
// The owner sends every response that Next returns, in that order, or ends the
// stream: a response returned is one sent. Snapshots come from one Store, each
// newer than the last; some may be left out. Time never runs backwards. What the
// session returns is shared with other streams and must not be modified; what it
// was given may be, a snapshot excepted.
//
// What it holds to, whatever the client does:
//
//   - What is sent is computed when it can be sent, from where the client is to the
//     newest snapshot. There is no queue, so a client that was away for an hour costs
//     what one costs that was away for a second.
//   - Of each type at most one response is in flight. One that is not answered in time
//     may be overtaken, so who answers nothing is sent what is news, slowly. What a
//     request asks for is sent at once all the same.
//   - Of each type everything up to a position (at, acked: see typeState) is
//     settled, but for the names in a ledger: those that were in a refused response,
//     and few others (ledger.go). So a client in step costs a few pointers, whatever it
//     holds.
//   - Types change in the order of stages: what refers to something comes after it
//     and goes before it. An answer to a request does not wait for this. A client that
//     connected before loses nothing until it has asked for all that may refer to it.
//   - A version that the client refused by itself is never sent to it again; what
//     came with it is tried apart (refusal.go, trial.go). What the form before it leads
//     to is not taken from the client (needs.go). Where the client needs something of
//     the name, for it asked again or its cluster was sent, it is sent that form.
//   - No response without a cause, and when all is answered the client has what it
//     asked for.
//
// TestSessionHoldsItsPromises and FuzzSession play against these.
package xds
