// Package listener renders the one listener, with its connection manager: all that
// holds for every site. docs/edge.md says what that does to requests.
//
// The listener depends on the operator's options alone, never on a site: a listener
// that changes drains every connection.
//
// Read first: Render (listener.go), the connection manager (manager.go), and what is
// done to the headers of a request before anything looks at them (forwarded.go).
package listener
