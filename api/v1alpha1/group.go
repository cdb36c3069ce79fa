package v1alpha1

import "k8s.io/apimachinery/pkg/runtime/schema"

// GroupVersion is what a StaticSite's apiVersion says.
var GroupVersion = schema.GroupVersion{Group: "platform.my-company.com", Version: "v1alpha1"}

// Resource is the path of StaticSites on an API server.
var Resource = GroupVersion.WithResource("staticsites")

// Kind is the kind of a StaticSite.
const Kind = "StaticSite"
