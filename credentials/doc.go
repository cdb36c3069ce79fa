// Package credentials locks the streams: who this program is to others, who
// others are to it, and what they may do.
//
// A [Store] holds a certificate with its key and two bundles of CAs, read from
// files such as cert-manager mounts. It looks at the files again each second and
// takes what is new and good, without a restart and without losing a stream. What
// is not good (half written, a key of another certificate) changes nothing; it is
// told in a log line and a metric.
//
// [Rules] decide who a peer is: a proxy, a replica of this program, or nobody. The
// decision is one pure function of the peer's certificates and the time
// ([Rules.Of]). It is asked in the handshake, so a peer without a role gets not one byte; at each
// stream, since a connection outlives what was so when it was made; and again
// whenever a bundle changes or a certificate ends. Whoever loses his role
// loses the connection, not only the stream: Envoy opens its next stream on the
// same connection, with the old certificate, even after its files are renewed.
//
// The room does not know what is served, and of a request it sees only the
// method's name: [Access] says which role may call which.
//
// Read Rules first, then Store, then gate.go.
package credentials
