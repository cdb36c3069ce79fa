// Package observed has the status of a site as the API server has it, in the form
// in which the source hands it to the status writer: with all that the writer
// compares, in some 200 bytes.
//
// It does no I/O, and it cannot fail: a status that looks odd is one that differs
// from what it should be.
//
// Read first: Summary (what a status says, wanted or observed), Status and Read (what
// an object has besides: its version, its times, and what others wrote).
package observed
