// Package kube is the way to the API server: how it is found, and what is logged
// when it cannot be reached or grants too little. Its rooms are the cluster's side
// of the program:
//
//   - source hands the objects that translation reads to the control loop, each
//     change once.
//   - statuswriter writes what the loop says of each site into its status, and what
//     that changed into Events, as long as it holds a term of the lease.
//   - lease elects the replica that does so.
//   - observed is the status that an object has, on its way from source to statuswriter.
//   - lookup reads a few objects once, for a person who asks.
//
// None of them decides what is served, and nothing that is served waits for them:
// losing the API server, a watch or the lease stops news and status writes, nothing
// else.
//
// Read first: Connect, NoteOutages and Outage, which logs once when something stops
// to work, and once when it works again.
package kube
