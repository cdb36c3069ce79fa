// Package fleet is what the leader knows of the other replicas of this program, from
// their reports (package holdings).
//
// It never looks at a site: a site is a SiteVersion here, a hash that is equal on
// every replica of one build. It does no I/O, and it does not decide what a status
// says: control does, from an Opinion.
//
// Glossary:
//
//   - A replica is another process of this program. It serves the same sites, to
//     other proxies. Its State is how well this replica knows it.
//   - A version is settled at a replica if every proxy that was connected to the
//     replica has acknowledged the version. It stays settled when a proxy connects
//     that has not caught up yet.
//   - A Holding (package holdings) is what the proxies of one replica hold of one
//     version.
//   - The leader speaks for all replicas: it writes the statuses. All others follow.
//
// Read Fleet first, then Opinion, then replica.
package fleet
