// Package decode is the one decoder of objects, for files and for clusters: it
// cuts a StaticSite, Service, EndpointSlice, SiteDomainPolicy or Namespace down to
// what translation reads (object).
//
// It does no I/O and judges presence and type only: whether a domain is a host name
// or a port in range is translation's to say, for objects of every source alike. It
// never passes over a byte of a file in silence: what is not read is an Error that
// names object, field and what to write instead.
//
// What people write is read strictly (Objects): unknown fields, duplicate keys and
// wrong types are errors. What an API server sends has been checked by it already,
// and may have fields that are newer than this program (FromCluster).
//
// Read first:
//
//   - Document and Split: where in a file each object stands.
//   - Objects and Decoded: what a document says, as kubectl reads it.
//   - Field: a place in an object, and the mistakes that are found there.
package decode
