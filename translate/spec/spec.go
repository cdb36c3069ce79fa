package spec

import (
	"iter"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/feature"
)

// A Spec is one specification as judged. It is not modified once it is served.
//
// Invariant: a field that is not valid has its zero value, and a Problem.
type Spec struct {
	Domain   string       // in normal form
	Problems []Problem    // in the order of the fields
	main     Backend      // what all paths lead to
	features feature.Part // that it asks for; nil: none
}

// A Backend is a port of a Service.
type Backend struct {
	Service object.Key
	Port    int32
}

// Cluster returns the name of the backend's cluster.
func (b Backend) Cluster() string { return envoy.ClusterName(b.Service, b.Port) }

// A Problem is one invalid field.
type Problem struct {
	Reason  string // of api/v1alpha1
	Message string // names the field, and says what to write instead
}

// Valid reports whether nothing is wrong with the specification by itself.
func (s *Spec) Valid() bool { return len(s.Problems) == 0 }

// Backends yields each port of a Service that the specification leads to, once: those
// that are valid, even if other fields are not, so that its owner learns of all
// mistakes at once.
func (s *Spec) Backends() iter.Seq[Backend] {
	return func(yield func(Backend) bool) {
		if s.main != (Backend{}) {
			yield(s.main)
		}
	}
}

// VirtualHost renders a valid specification: everything that a site says of requests
// is in its virtual host. Each call returns a new message.
func (s *Spec) VirtualHost(site object.Key, domains string) *routev3.VirtualHost {
	host := envoy.VirtualHost(site, domains, s.main.Cluster())
	if s.features != nil {
		s.features.Render(host)
	}
	return host
}

// Accepted returns the reason and message of the condition Accepted of a specification
// that is looked at by itself.
func (s *Spec) Accepted() (reason, message string) {
	if s.Valid() {
		return v1alpha1.ReasonAccepted, "the specification is valid and the domain is this site's"
	}
	messages := make([]string, len(s.Problems))
	for i, p := range s.Problems {
		messages[i] = p.Message
	}
	return s.Problems[0].Reason, strings.Join(messages, "; ")
}
