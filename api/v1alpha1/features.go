package v1alpha1

// SiteFeatures are the fields of a specification that a site can do without. Absent
// means unchanged: a site without any is served as its backend answers.
type SiteFeatures struct {
	// responseHeaders changes the headers of the site's answers on their way to
	// readers. A name, whatever its case, stands in one of the lists only.
	//
	// +optional
	ResponseHeaders *HeaderChanges `json:"responseHeaders,omitempty"`
}

// HeaderChanges are changes of headers: first those in remove are removed, then those
// in set are set, then those in add are added.
type HeaderChanges struct {
	// set gives headers a value, whether the backend sent them or not.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Set []Header `json:"set,omitempty"`

	// add appends a value to those that the backend sent.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Add []Header `json:"add,omitempty"`

	// remove takes headers away, such as Server.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Remove []HeaderName `json:"remove,omitempty"`
}

// Header is a header and its value.
type Header struct {
	// name is the name of the header, such as X-Frame-Options. Case does not matter.
	//
	// +required
	Name HeaderName `json:"name"`

	// value is the value as readers get it, in printable ASCII. A percent sign is a
	// percent sign.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value"`
}

// HeaderName is the name of a header.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
type HeaderName string

// Bounds of HeaderChanges, as the schema has them.
const (
	MaxHeaderChanges = 16 // in each list
	MaxHeaderName    = 128
	MaxHeaderValue   = 4096
)
