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
// # The files
//
//	what is served   store snapshot table names content resource types; suspect
//	one client       session push select subscription patience, delta and sotw
//	its answers      answer ledger refusal trial needs again words; state (what is told)
//	the server       server stream request wire grpc admission contain; csds inspect metrics
//
// They are one package, because a session reads the tables of snapshots by slot and
// shares what it picks there with all streams that are sent the same: as packages of
// their own, tables, slots and batches would all have to be exported.
//
// A NACK comes in through answer.go and is taken by refusal.go (Session.refuse).
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
//     request asks for is sent at once all the same, up to 17 unanswered responses.
//   - Of each type everything up to a position (at, acked: see typeState) is
//     settled, but for the names in a ledger: those that were in a refused response,
//     and few others (ledger.go). So a client in step costs a few pointers, whatever it
//     holds.
//   - Types change in the order of stages: what refers to something comes after it
//     and goes before it. An answer to a request does not wait for this. A client that
//     connected before loses nothing until it has asked for all that may refer to it.
//   - A version that was refused when it was sent alone, or that Envoy's words named, is
//     never sent to that client again, except a listener (again.go); what
//     came with it is tried apart (refusal.go, trial.go). What the form before it leads
//     to is not taken from the client (needs.go). Where the client needs something of
//     the name, for it asked again or its cluster was sent, it is sent that form.
//   - No response without a cause, and when all is answered the client has what it
//     asked for.
//
// TestSessionHoldsItsPromises and FuzzSession play against these.
//
// # Words
//
// The files of the session use these words, each in one sense only:
//
//   - Push: a response that the client has not answered yet. It is late once a newer one
//     of its type was sent.
//   - Slot: a resource's place in the tables of its Store, as long as it is served.
//   - Trail: the snapshots that the client's upserts have passed and its removals have not.
//     Waiting: names whose removal must wait longer than the trail reaches back.
//   - Claim: a resource that a client says it holds from an earlier stream.
//   - Placeholder: what stands for a resource whose last good form is not known.
//   - Taint: bytes that the client may have seen in a refused response; other bytes of the
//     same resource are sent.
//   - Form: one version of a resource, as a client may have it. Known: this server has
//     its contents, and not only its version.
//   - Ledger, record: of each name that something irregular happened to, a record of what
//     the client has. Of every other name it has what the snapshot acked has.
//   - Owed: due though it did not change, as a slot. Gone: due as a name that does not
//     exist. Unheld: what a client ignored and still asks for.
//   - Excluded: a version that is kept out of ordinary responses, since this client
//     refused it, or may have, or a different client did.
//   - Trial: a response with excluded versions alone, to learn what the client says.
//   - Refused: an excluded version that the client certainly refused.
//   - Suspect: a version that the client of any stream refused. It is excluded for all
//     others until they accept it.
//   - Stand-in: the form that is sent in place of an excluded version.
//   - Keeps: what is served of a name is a placeholder, and the client keeps its own form.
//   - Doubted: a version that was in a refused response, and that no ACK counts for yet.
//   - Unheard: names in a response that was forgotten before it was answered.
//   - Relist: a list was refused that left something out, so a list is sent once more.
//   - Behind: where the client was before a response with removals that it refused.
//   - Unfinished: a cluster that Envoy refused and half took up.
package xds
