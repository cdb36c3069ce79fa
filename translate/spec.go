package translate

import (
	"fmt"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/translate/hostname"
	"my-company.com/staticsite-operator/translate/text"
)

// goodSpec is a specification in normal form, all of it valid.
type goodSpec struct {
	domain  string
	service Key
	port    int32
}

// judged is a specification and what is wrong with it. A field of goodSpec is
// set only if it is valid.
type judged struct {
	goodSpec
	problems []problem // in the order of the fields
}

// problem is one invalid field.
type problem struct {
	reason  string
	message string // names the field, and says what to write instead
}

func (j *judged) valid() bool { return len(j.problems) == 0 }

// backendValid says whether Service and port can be looked up. They are even if
// the domain is invalid, so that its owner learns of all mistakes at once.
func (j *judged) backendValid() bool { return j.service != Key{} && j.port != 0 }

// judge checks every field of a site by itself; other objects play no part. Of a
// valid specification it returns the routes too (see foresee).
func judge(s *Site) (j judged, routes *routev3.ScopedRouteConfiguration) {
	refuse := func(reason, field string, err error) {
		j.problems = append(j.problems, problem{reason, field + ": " + err.Error()})
	}
	keyErr := checkKey(s.Key)
	if keyErr != nil {
		j.problems = append(j.problems, problem{v1alpha1.ReasonInvalidName, keyErr.Error()})
	}
	if domain, err := hostname.Parse(s.Domain); err != nil {
		refuse(v1alpha1.ReasonInvalidDomain, "spec.domain", err)
	} else {
		j.domain = domain
	}
	if err := checkServiceName(s.Service); err != nil {
		refuse(v1alpha1.ReasonInvalidServiceName, "spec.backend.serviceName", err)
	} else if keyErr == nil {
		j.service = Key{Namespace: s.Namespace, Name: s.Service}
	}
	if s.Port < 1 || s.Port > 65535 {
		refuse(v1alpha1.ReasonInvalidServicePort, "spec.backend.servicePort",
			fmt.Errorf("%d is not a port: write the Service's port, a number from 1 to 65535", s.Port))
	} else {
		j.port = s.Port
	}
	if j.valid() {
		var err error
		if routes, err = foresee(s.Key, j.goodSpec); err != nil {
			refuse(v1alpha1.ReasonInvalidConfiguration, "spec", err)
		}
	}
	return j, routes
}

// show is an object's key in a message, quoted if it is none that the API
// server would admit.
func show(k Key) string {
	if checkKey(k) != nil {
		return text.Quote(k.String())
	}
	return k.String()
}

// accepted is the condition of a specification that is looked at by itself.
func (j *judged) accepted() Condition {
	if j.valid() {
		return Condition{OK: true, Reason: v1alpha1.ReasonAccepted, Message: "the specification is valid and the domain is this site's"}
	}
	messages := make([]string, len(j.problems))
	for i, p := range j.problems {
		messages[i] = p.message
	}
	return Condition{Reason: j.problems[0].reason, Message: strings.Join(messages, "; ")}
}

// checkKey refuses what the API server would: namespace and name are parts of
// the names of resources, and no two sites may come to share one. Its error
// names the field.
func checkKey(k Key) error {
	if !hostname.IsLabel(k.Namespace) {
		return fmt.Errorf("metadata.namespace: %s is not a DNS label: write lower-case letters, digits and hyphens, at most 63", text.Quote(k.Namespace))
	}
	if len(k.Name) > 253 {
		return fmt.Errorf("metadata.name: %s has %d characters: write at most 253", text.Quote(k.Name), len(k.Name))
	}
	for label := range strings.SplitSeq(k.Name, ".") {
		if !hostname.IsLabel(label) {
			return fmt.Errorf("metadata.name: %s is not a DNS name: write lower-case letters, digits, hyphens and dots", text.Quote(k.Name))
		}
	}
	return nil
}

// checkServiceName returns nil for the name of a Service: a DNS label. Before
// Kubernetes 1.36 it had to begin with a letter.
func checkServiceName(name string) error {
	const want = "write the name of a Service in the site's own namespace"
	switch {
	case name == "":
		return fmt.Errorf("is empty: %s", want)
	case hostname.IsLabel(name):
		return nil
	case hostname.IsAddress(name):
		return fmt.Errorf("%s is an IP address: %s", text.Quote(name), want)
	case len(name) > 63:
		return fmt.Errorf("%s has %d characters, a Service name has at most 63: %s", text.Quote(name), len(name), want)
	}
	short, _, dotted := strings.Cut(name, ".")
	switch lower := strings.ToLower(short); {
	case dotted && hostname.IsLabel(lower):
		return fmt.Errorf("%s is not a Service name: write %s, without namespace or domain (only a Service in the site's own namespace can be used)", text.Quote(name), lower)
	case hostname.IsLabel(lower):
		return fmt.Errorf("%s is not a Service name: write %s (Service names are lower-case)", text.Quote(name), lower)
	}
	return fmt.Errorf("%s is not a Service name (lower-case letters, digits and hyphens): %s", text.Quote(name), want)
}
