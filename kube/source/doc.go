// Package source hands over the objects of a cluster: first all that exist, in one
// batch, then each that changes in a field that translation reads.
//
// It never decides what is served, and it hands over nothing before everything is
// known: an empty first batch would remove every listener of the fleet.
//
// Read first:
//
//   - Source: every object that sites are made of, each change once; policies on
//     domains, where they are installed (policies.go).
//   - cut: what is kept of an object in memory.
//   - pasts, which notice that the cluster was restored from a backup (past.go).
//
// Words:
//
//   - past: the history that an API server's versions count. It changes when etcd is
//     restored from a backup; versions of two pasts cannot be compared.
//   - listing: one reading of all objects of a kind, with which the watch that goes on
//     from there belongs together.
//   - refused: an object that cannot be read. Its last good form goes on being served.
package source
