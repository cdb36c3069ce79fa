// Package decide says what the owner of a site should read in its status, from what is
// known of the site, of our own proxies and of the other replicas. Programmed is decided
// here (decide.go); Accepted and ResolvedRefs come from translation (its verdict.go);
// summary.go sums them up.
//
// It is pure: it only reads what it is given, and the same always leads to the same.
// It does not know when a status is decided, whether that is news, or who writes it:
// control and those who keep statuses do.
//
// Glossary:
//
//   - A site is settled once every proxy of every replica has acknowledged what it is.
//   - A decision is undecided while Programmed is Unknown.
//   - An undecided site is an heir if it is what it was when this replica began to speak
//     for it: what an object says already may be right, and stands (Status.Standing).
//
// Read Site and Own first (what is known), then Decide, then Decision.Status.
package decide
