// Package explain says why a request for a site is answered as it is: who holds
// the domain, which conditions hold, which route, cluster and endpoints answer,
// which proxies have acknowledged what, and the one next thing to do.
//
// It is pure: Facts in, an Explanation out. Whoever gathers the facts (the room
// gather below does, from an API server or a folder, and from the client status that
// servers have) says what could not be read; the rest is explained all the same.
//
// What proxies have acknowledged counts more than what would be made of the
// objects, and both are looked at: a difference is part of the answer.
//
// Read first: Facts (facts.go), Explain (explain.go), the steps (next.go).
package explain
