// Package sitestatus has what is said of a site: the words that its owner reads in
// the object's status, whoever decides them (control) and whoever writes them down
// (kube, files).
//
// It never decides what is said, and does no I/O. Of our rooms it needs only the
// names of objects (object) and the types of the API (api/v1alpha1).
//
// Read first:
//
//   - Status, all that is said of one site, and its Conditions.
//   - Status.InObject, the same as the object has it, with times.
//   - Phases, a count of sites for whoever keeps their statuses.
package sitestatus
