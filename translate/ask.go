package translate

import (
	"slices"
	"time"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/hostname"
)

// This file answers questions about what was translated, for people who ask
// (see the room explain). Nothing that is served depends on it.

// ParseDomain returns the normal form of a domain: lower-case, without a trailing
// dot. Its error says what to write instead.
func ParseDomain(s string) (string, error) { return hostname.Parse(s) }

// RouteNames returns the names under which a proxy is told what it does with
// requests for a domain, in either layout: those of the listener and of the
// resources with the domain's routes.
func RouteNames(domain string) []string {
	return []string{envoy.ListenerName, domain, envoy.TableName}
}

// Claim is one site's claim on a domain.
type Claim struct {
	Site    object.Key
	Held    bool      // the site's status has the domain
	Valid   bool      // its specification is valid
	Created time.Time // zero for files
	Verdict Verdict
}

// Claims returns the claims on a domain in normal form, the holder's first, then
// in the order in which it would be given to others.
func (w *World) Claims(domain string) []Claim {
	sites := w.claims.Claimants(domain)
	claims := make([]Claim, len(sites))
	for i, s := range sites {
		claims[i] = Claim{s.key, slices.Contains(s.claim.Held, domain), s.spec.Valid(), s.claim.Created, w.verdict(s)}
	}
	return claims
}
