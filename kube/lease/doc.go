// Package lease elects one of the replicas to write statuses, by a Lease and
// client-go's elector (docs/decisions.md, "The lease is competed for by client-go's
// elector").
//
// It decides nothing else: every replica serves, with the lease or without it.
//
// Read first: Lease, which stands for election; Term, a time in which this replica
// leads; fence, the lock that knows until when it is certainly held.
package lease
