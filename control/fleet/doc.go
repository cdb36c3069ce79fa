// Package fleet is what the replicas of this program say to each other of the
// proxies that they serve, and what the leader knows of the others by it.
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
//   - A Holding is what the proxies of one replica hold of one version.
//   - The leader speaks for all replicas: it writes the statuses. All others follow.
//
// Read Holding first, then Report and View (what is sent, what is kept to be sent),
// then Fleet.
package fleet
