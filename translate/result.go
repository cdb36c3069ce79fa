package translate

import (
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/claims"
)

// Delta is what a batch of changes did to the configuration.
type Delta struct {
	Resources []Resource // changed or gone, sorted by type (make before break) and name; at most one entry a name
	Verdicts  []Verdict  // of every site whose verdict or resources changed, sorted by site

	// Problems are what is wrong with policies that changed, sorted by policy, in
	// the order of the fields.
	Problems []claims.Problem
}

// Resource is one xDS resource that changed.
type Resource struct {
	Type    string        // its type URL, "type.googleapis.com/envoy..."
	Name    string        // its xDS name
	Message proto.Message // nil: the resource is gone

	// Again turns the message, or a copy of it, into other bytes that mean the same,
	// for the n-th attempt (n >= 1) after a refusal (docs/decisions.md, "Other bytes after
	// a refusal"; rule 90).
	// Nil where equal bytes may be sent again.
	Again func(message proto.Message, n int) proto.Message

	// Needs names the clusters that the resource leads to. A proxy that refuses the
	// next version goes on with this one and with them (see Kept).
	Needs []string

	// Placeholder marks a stand-in for a resource whose last good form is not
	// known: it is for proxies that hold no form of it (rule 91).
	Placeholder bool
}

// Verdict is what translation says of one site.
type Verdict struct {
	Site       object.Key
	Gone       bool     // the site does not exist any more; the other fields are empty
	UID        string   // of the object that was judged
	Generation int64    // of its specification
	Domain     string   // normalised; empty when spec.domain is not a valid domain
	Holds      []string // the domains that the site holds now: its next status.domains

	Accepted     Condition // the specification is valid and the domain is permitted and this site's
	ResolvedRefs Condition // what it names exists

	Endpoints Endpoints // of the Service's port

	// Resources are the ones that must be acknowledged for the site to be
	// programmed: its clusters, and its scopes or the table. Empty when the site is
	// not served.
	Resources []ResourceName
}

// Endpoints says whether there is anybody to answer the requests for a site. How many
// there are is nobody's news: pods come and go.
type Endpoints uint8

// The values of Endpoints.
const (
	EndpointsUnknown Endpoints = iota // the site is not served as specified, or the proxies resolve its Service's name
	EndpointsNone
	EndpointsUsable // at least one
)

// ResourceName names one resource of a type.
type ResourceName struct {
	Type string // type URL
	Name string
}

// Condition is the part of a metav1.Condition that translation decides.
type Condition struct {
	OK      bool
	Reason  string // CamelCase
	Message string // says what the site's owner can do
}
