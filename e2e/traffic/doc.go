// Package traffic sends requests at a constant rate, over HTTP/1.1 or HTTP/2, and
// accounts for every one of them: an answer with its status, or an error.
//
// Ordinary HTTP clients repeat a request whose connection broke, and so hide
// exactly what a test of availability wants to see. This one never repeats a
// request: a reset counts as a reset. A connection whose end the server announced
// (Connection: close, GOAWAY) is replaced without an error, because nothing was
// lost. A request that a GOAWAY refuses is an error, though a client may repeat
// it: a server that drains as it should announces first and refuses nobody.
//
// The rate is kept whatever the answers take: requests that could not be sent at
// their time, because too many were waiting for an answer, are counted too.
//
// Read first: [Options], [Start], [Report].
package traffic
