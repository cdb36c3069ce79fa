// Package object has the objects that translation reads, cut down to the fields in
// use: StaticSites, Services, EndpointSlices, SiteDomainPolicies and Namespaces.
// It needs nothing but the API's types, so every other room may know it.
package object

import (
	"cmp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// Key names an object. Its text form is "namespace/name", or "name" if objects
// of its kind have no namespace.
type Key struct{ Namespace, Name string }

func (k Key) String() string {
	if k.Namespace == "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}

// Compare orders keys by namespace, then by name.
func (k Key) Compare(other Key) int {
	return cmp.Or(strings.Compare(k.Namespace, other.Namespace), strings.Compare(k.Name, other.Name))
}

// Kind is the kind of an input object.
type Kind string

// The kinds that translation reads.
const (
	KindSite      Kind = "StaticSite"
	KindService   Kind = "Service"
	KindSlice     Kind = "EndpointSlice"
	KindPolicy    Kind = "SiteDomainPolicy"
	KindNamespace Kind = "Namespace"
)

// Ref is the identity of an input object.
type Ref struct {
	Kind Kind
	Key  Key
}

// Object is one input: a *Site, a *Service, a *Slice, a *Policy or a *Namespace,
// cut down to the fields that translation reads. Objects are immutable once
// handed over.
type Object interface{ Ref() Ref }

// Site is a StaticSite. Its fields are as its owner wrote them, unchecked:
// translation judges them (see Verdict).
type Site struct {
	Key
	UID        string // which of the objects that have had this name; empty for files
	Generation int64
	Created    time.Time // zero for files, which have no age
	Domain     string    // spec.domain
	Service    string    // spec.backend.serviceName
	Port       int32     // spec.backend.servicePort
	Held       []string  // status.domains: the record of the site's claim

	// Features are the other fields of the specification, nil if it has none. They are
	// decoded as a whole, so that a new field is here without anybody's doing.
	Features *v1alpha1.SiteFeatures
}

// Service is a Kubernetes Service.
type Service struct {
	Key
	Type     string // spec.type; empty means ClusterIP
	IPv6     bool   // the primary family (spec.ipFamilies[0]) is IPv6
	Headless bool   // it has no address of its own (spec.clusterIP: None): its name leads to its pods
	Ports    []ServicePort
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Name        string // may be empty when it is the only port
	Port        int32
	Target      int32  // targetPort as a number; 0 means the same as Port
	NamedTarget bool   // targetPort is the name of a port of containers; each pod may have another number
	Protocol    string // empty means TCP
	AppProtocol string // see protocolOf; may be empty
}

// Slice is an EndpointSlice.
type Slice struct {
	Key
	Service     string // the label kubernetes.io/service-name
	AddressType string // IPv4, IPv6 or FQDN
	Ports       []SlicePort
	Endpoints   []Endpoint
}

// SlicePort is one port of an EndpointSlice: the target of the Service port that
// has the same name.
type SlicePort struct {
	Name        string
	Port        int32  // 0 when there is no number, which the API server permits
	Protocol    string // empty means TCP
	AppProtocol string // counts only if the Service's port has none
}

// Endpoint is one address behind a Service.
type Endpoint struct {
	Address string // the first of its addresses; the others are alternatives of the same pod
	Ready   bool   // an absent condition counts as ready
	// Draining: it is about to end and still answers. It is used as long as none
	// is ready, as kube-proxy does (KEP-1669).
	Draining bool
	Zone     string // topology zone, may be empty
}

// Policy is a SiteDomainPolicy, unchecked like a Site. It has no namespace.
type Policy struct {
	Key
	Mode     string // spec.mode
	Domains  []DomainMatch
	Selector metav1.LabelSelector // of namespaces
}

// DomainMatch is one item of spec.domains: either field is empty.
type DomainMatch struct{ Exact, Suffix string }

// Namespace is a Namespace. One that is not known has no labels but its name's.
type Namespace struct {
	Key
	Labels map[string]string
}

// Ref returns the site's identity.
func (s *Site) Ref() Ref { return Ref{KindSite, s.Key} }

// Ref returns the service's identity.
func (s *Service) Ref() Ref { return Ref{KindService, s.Key} }

// Ref returns the slice's identity.
func (s *Slice) Ref() Ref { return Ref{KindSlice, s.Key} }

// Ref returns the policy's identity.
func (p *Policy) Ref() Ref { return Ref{KindPolicy, p.Key} }

// Ref returns the namespace's identity.
func (n *Namespace) Ref() Ref { return Ref{KindNamespace, n.Key} }
