package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SiteDomainPolicy says which namespaces may claim which domains. In a cluster
// without policies every namespace may claim every domain.
//
// All policies together mean: a namespace that is selected by policies may
// claim the domains that these list and no others; any other namespace may
// claim what no policy reserves.
//
// So policies add up and have no order: of several that select a namespace it
// may claim what any of them lists, whatever others reserve. That is how a part
// of a reserved suffix is given away.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=sdp
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Namespaces",type=string,JSONPath=`.spec.namespaceSelector`
// +kubebuilder:printcolumn:name="Domains",type=string,JSONPath=`.spec.domains`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type SiteDomainPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec SiteDomainPolicySpec `json:"spec"`
}

// SiteDomainPolicyList is a list of SiteDomainPolicies.
//
// +kubebuilder:object:root=true
type SiteDomainPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []SiteDomainPolicy `json:"items"`
}

// SiteDomainPolicySpec is what the owner of a policy writes.
type SiteDomainPolicySpec struct {
	// mode is Permit or Reserve. With either, the selected namespaces may claim
	// the domains of this policy, and otherwise only those of other policies that
	// select them. With Reserve, namespaces that no policy selects may not claim
	// the domains of this one, even while nobody else has claimed them.
	//
	// +required
	Mode PolicyMode `json:"mode"`

	// namespaceSelector selects namespaces by their labels. Empty, it selects all
	// of them. Every namespace has its name as the label
	// kubernetes.io/metadata.name.
	//
	// +required
	NamespaceSelector NamespaceSelector `json:"namespaceSelector"`

	// domains are the domains that this policy is about.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Domains []DomainMatch `json:"domains"`
}

// PolicyMode says whom a policy binds.
//
// +kubebuilder:validation:Enum=Permit;Reserve
type PolicyMode string

// The modes.
const (
	PolicyPermit  PolicyMode = "Permit"  // the namespaces that it selects
	PolicyReserve PolicyMode = "Reserve" // and those that no policy selects
)

// DomainMatch is one domain, or one with all below it.
//
// +kubebuilder:validation:XValidation:rule="has(self.exact) != has(self.suffix)",message="write exact or suffix, one of the two; for several domains write several items"
type DomainMatch struct {
	// exact is one domain, such as docs.my-company.com.
	//
	// +optional
	// +kubebuilder:validation:MinLength=4
	Exact HostName `json:"exact,omitempty"`

	// suffix is a domain and all domains below it: kb.my-company.com means
	// kb.my-company.com, en.kb.my-company.com and a.en.kb.my-company.com, but not
	// webkb.my-company.com.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	Suffix HostName `json:"suffix,omitempty"`
}

// HostName is written as in a StaticSite: upper case and a trailing dot are
// accepted and removed.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?[.])*[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?[.]?$')",message="write a plain host name such as docs.my-company.com: no wildcard, no dot in front, no port or path; suffix covers the domain and all below it"
type HostName string

// NamespaceSelector is a label selector with bounds: a namespace must have all
// that it asks for.
type NamespaceSelector struct {
	// matchLabels are labels that a namespace must have, with these values.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	MatchLabels map[string]LabelValue `json:"matchLabels,omitempty"`

	// matchExpressions are further requirements on labels.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	MatchExpressions []LabelRequirement `json:"matchExpressions,omitempty"`
}

// LabelRequirement is a requirement on one label of a namespace.
//
// +kubebuilder:validation:XValidation:rule="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",message="In and NotIn need values, Exists and DoesNotExist have none"
type LabelRequirement struct {
	// key is the name of the label.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	Key string `json:"key"`

	// operator is In, NotIn, Exists or DoesNotExist.
	//
	// +required
	// +kubebuilder:validation:Enum=In;NotIn;Exists;DoesNotExist
	Operator string `json:"operator"`

	// values are what In and NotIn compare with.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Values []LabelValue `json:"values,omitempty"`
}

// LabelValue is the value of a label.
//
// +kubebuilder:validation:MaxLength=63
type LabelValue string
