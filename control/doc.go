// Package control turns changes into configuration and acknowledgements into
// status. It owns the only place where the two meet:
//
//	objects --> translate.World --> xds.Store          (parts.go, publish.go)
//	verdicts, xds states, reports --> join --> status   (join.go, flush.go)
//
// One goroutine (loop.go) does both and owns everything here and in the rooms below.
// It never waits for anybody: objects, stream states and statuses pass through
// latest.Map, which keeps the newest of each.
//
// It knows neither where objects come from nor where statuses are written. What there
// is to know of sites comes together in join; of the rest each has a room:
//
//   - proxies: what our own proxies hold, and which of them serve.
//   - fleet: what the other replicas say of theirs.
//   - decide: what a site's status says, a pure function of all that.
//
// Glossary:
//
//   - A turn is one thing that happens: verdicts, states of streams, a report of a
//     replica, a change of leaders, a tick of the clock. It marks sites.
//   - The flush ends a turn. It alone decides, puts statuses, and tells views.
//   - A site waits for the snapshot in which its resources changed last. It is held once
//     each of our serving proxies has acknowledged that snapshot, and settled once the
//     proxies of every replica have. It is open while it is sent and not settled.
//   - The extent of a site is how far it is: all that its status is made of besides the
//     verdict of translation.
//   - A view is what other replicas are told of our proxies (package holdings).
//
// Read Loop first, then join, then flush.go.
package control
