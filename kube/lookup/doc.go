// Package lookup reads a few objects of a cluster, once, for a person who asks about
// them: the site that is asked about, those that claim its domain, its Service and
// the policies.
//
// It watches nothing, writes nothing, and needs no right that the server does not
// have.
//
// Read first: Lookup.
package lookup
