// Package cluster starts a real Kubernetes API server with a real etcd, without
// nodes and without controllers: what a test applies stays exactly as applied. So
// a test writes EndpointSlices itself, and a deleted namespace stays Terminating.
//
// Both parts can be killed and restarted on their data and ports, a second API
// server can be put on one etcd, and the link between the two can be replaced by a
// link.Proxy. The audit log says who wrote what.
//
// Read first: [Start], the usual pair; [APIServer] and [Etcd], the parts;
// [Client], which applies YAML as kubectl apply --server-side does.
package cluster
