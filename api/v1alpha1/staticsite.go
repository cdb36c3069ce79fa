package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// StaticSite puts a static site on the edge: requests for its domain are
// answered by its Service.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=ssite,categories=sites
// +kubebuilder:subresource:status
// +kubebuilder:selectablefield:JSONPath=`.spec.domain`
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.domain`
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.backend.serviceName`
// +kubebuilder:printcolumn:name="Port",type=integer,JSONPath=`.spec.backend.servicePort`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Endpoints",type=string,JSONPath=`.status.conditions[?(@.type=="EndpointsReady")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type StaticSite struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec StaticSiteSpec `json:"spec"`

	// status is what the operator says about the site. Its default is there before
	// the operator is: without it, tools such as kstatus and Flux would take a site
	// that nobody has looked at yet for one that is done.
	//
	// +kubebuilder:default={"observedGeneration":-1}
	Status StaticSiteStatus `json:"status,omitempty"`
}

// StaticSiteList is a list of StaticSites.
//
// +kubebuilder:object:root=true
type StaticSiteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []StaticSite `json:"items"`
}

// StaticSiteSpec is what the owner of a site writes.
type StaticSiteSpec struct {
	// domain is the host name that the site answers for, such as
	// docs.my-company.com: without port, path or wildcard. Upper case and a
	// trailing dot are accepted and removed.
	//
	// +required
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=253
	Domain string `json:"domain"`

	// backend is the Service that answers the site's requests.
	//
	// +required
	Backend Backend `json:"backend"`

	SiteFeatures `json:",inline"`
}

// Backend names a port of a Service in the site's own namespace.
type Backend struct {
	// serviceName is the name of a Service in the namespace of this StaticSite.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	ServiceName string `json:"serviceName"`

	// servicePort is the number of a port of that Service.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	ServicePort int32 `json:"servicePort"`
}
