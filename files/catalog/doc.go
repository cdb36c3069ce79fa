// Package catalog knows which objects a folder's files hold, and which of them are
// served: what files say goes in, changes come out.
//
// It does no I/O and has no clock, and it never believes that an object is gone as
// long as that may be a moment of somebody's editing.
//
// Read first: Catalog and its invariant; placed (an object in a file) and serving
// (what was handed over of it).
//
// Words:
//
//   - copy: an object in one file. Several of one object are duplicates, of which one
//     is served.
//   - away: a copy that is not where it was, and is not yet believed to be gone.
//   - owner: the copy of an object that is served.
package catalog
