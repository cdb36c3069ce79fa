// Package statuswriter writes the statuses of sites into their objects, and what
// that changed into Events, on the one replica that has the lease.
//
// It never decides what a status says (control does), and no configuration waits for
// it. It writes nothing over what is newer: each write names the version of the
// object that it is based on.
//
// Read first:
//
//   - Writer, the one goroutine, and apply, one write of it.
//   - ledger: of each site the status that it should have and the one that it has;
//     it hands out the writes that are missing. It does no I/O and has no clock.
//   - recorder, which makes Events of transitions.
//
// Words:
//
//   - wanted: the status that a site should have. Standing: the one that it may keep
//     as long as nobody has heard otherwise.
//   - seen: the status that the API server has.
//   - term: a time in which this replica alone writes (see lease).
//   - transition: what a write changed for the owner of a site.
package statuswriter
