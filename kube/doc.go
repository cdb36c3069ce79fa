// Package kube is the cluster's side of the program: it hands the objects that
// translation reads to the control loop, and writes what the loop says of each
// site back into its status, and what that changed into Events.
//
// It never decides what is served, and nothing that is served waits for it:
// losing the API server, a watch or the lease stops news and status writes,
// nothing else.
//
// Read first:
//
//   - Decode, the one reader of objects, for files and (as Source uses its
//     parts) for the cluster: it cuts objects down to what translation reads, and
//     its errors name object, field and remedy.
//   - Source, the informers: every object that sites are made of, each change
//     once; policies on domains, where they are installed (policies.go).
//   - StatusWriter, which writes statuses as long as it holds a Term of the Lease.
//   - pasts, which notice that the cluster was restored from a backup (past.go).
package kube
