// Package proxies is what the connected proxies of this replica hold: which snapshot
// each has acknowledged, which resources it refuses or is still being tried with, and
// whether it serves at all.
//
// It never looks at a site: a site is the names of its resources here, and the snapshot
// in which one of them changed last. It decides no status.
//
// Glossary:
//
//   - A proxy serves once it has acknowledged a listener and has answered for the
//     routes. Only serving proxies count; nothing waits for the others.
//   - A proxy is idle if it is connected, asks for listeners, and does not serve.
//   - A proxy holds a snapshot if it has acknowledged the snapshot in every type that
//     makes up a site. Endpoints do not count: a pod that moves writes no status.
//   - An exception is a resource that a proxy does not have, although it holds the
//     snapshot: it refuses the resource, or is asked again after a refusal.
//
// Read Table first, then Count and Table.Of, then idle.
package proxies
