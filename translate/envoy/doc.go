// Package envoy renders Envoy's messages from plain values: the routes of a domain,
// the clusters that they lead to, and the endpoints of these. Its rooms below render
// what no site is in: envoy/listener the one listener, envoy/bootstrap what a proxy
// is started with.
//
// Each function is pure: the same values give the same message. No function looks
// at an object of a user, and none decides whether anything is to be served: the
// room above does, and names what is to be rendered.
//
// What is the same in many messages is one message in memory. So no message that was
// handed out is ever modified.
//
// Read first: VirtualHost (virtualhost.go), which becomes a Scope (scope.go) or a
// part of the Table (table.go); Cluster (cluster.go); Check (check.go), which says
// what Envoy would refuse.
//
// Glossary:
//
//	layout scoped  a resource for each domain, its routes inlined (Scope)
//	layout single  one resource with the routes of all domains (Table)
//	virtual host   Envoy's word for the routes of one site
package envoy
