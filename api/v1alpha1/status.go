package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// StaticSiteStatus is what the operator says about a site. Only the operator's
// leader writes it.
type StaticSiteStatus struct {
	// observedGeneration is the generation of the specification that this status
	// is about; -1 as long as nobody has looked at it.
	//
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase sums the conditions up for people; programs read the conditions.
	//
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// message is the first thing to know about the site.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32768
	Message string `json:"message,omitempty"`

	// domains are the domains that the site holds now, normalised. This is the
	// record of its claim: whoever holds a domain keeps it.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=253
	Domains []string `json:"domains,omitempty"`

	// conditions are Accepted, ResolvedRefs, Programmed, Ready and EndpointsReady,
	// and while the site is not ready, Reconciling or Stalled.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchMergeKey=type
	// +patchStrategy=merge
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// MaxConditions is how many conditions a status has room for, ours and those that
// others add.
const MaxConditions = 16

// Phase sums up the conditions of a site in one word.
//
// +kubebuilder:validation:Enum=Pending;Provisioned;Error
type Phase string

// The phases.
const (
	PhasePending     Phase = "Pending"     // on its way, nothing for the owner to do
	PhaseProvisioned Phase = "Provisioned" // acknowledged by every serving proxy
	PhaseError       Phase = "Error"       // a condition is False; the message says what to do
)
