// Package holdings is what replicas of this program say to each other of their
// proxies: which of them hold what of each site. control makes it and draws the
// conclusions; replicas carries it.
//
// It decides nothing and does no I/O.
//
// Read first:
//
//   - SiteVersion, what a site is to be served as, equal on every replica of one build.
//   - Holding, what the proxies of one replica hold of such a version.
//   - View, the replica's own side, and Report, what is heard of another one.
package holdings
