// Package spec is the specification of one site: read from its object, judged field
// by field, and put into words if anything is wrong with it. Other objects play no
// part: whether the domain is the site's, and whether the Service exists, is decided
// elsewhere.
//
// Each wrong field is a Problem: a reason, and a message with the field, what is
// wrong, and what to write instead. All fields are judged, so that an owner learns of
// all mistakes at once. A specification with a Problem is withheld whole.
//
// The fields that every site has are judged in judge.go. All other fields are
// features, a file each in the room feature.
//
// Read first: Spec (spec.go), Judge (judge.go).
//
// Glossary:
//
//	valid       without a Problem
//	good        the last valid specification of a site (site.good, in the room above)
//	normal form a domain in lower case without a trailing dot; see the room hostname
package spec
