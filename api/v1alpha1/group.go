package v1alpha1

import "k8s.io/apimachinery/pkg/runtime/schema"

// GroupVersion is what the apiVersion of our kinds says.
var GroupVersion = schema.GroupVersion{Group: "platform.my-company.com", Version: "v1alpha1"}

// Resource is the path of StaticSites on an API server.
var Resource = GroupVersion.WithResource("staticsites")

// PolicyResource is the path of SiteDomainPolicies on an API server.
var PolicyResource = GroupVersion.WithResource("sitedomainpolicies")

// The kinds.
const (
	Kind       = "StaticSite"
	PolicyKind = "SiteDomainPolicy"
)
