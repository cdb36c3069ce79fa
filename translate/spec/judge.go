package spec

import (
	"fmt"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/feature"
	"my-company.com/staticsite-operator/translate/hostname"
)

// Judge checks every field of a site by itself.
func Judge(o *object.Site) *Spec {
	s := new(Spec)
	keyErr := CheckKey(o.Key)
	if keyErr != nil {
		s.Problems = append(s.Problems, Problem{v1alpha1.ReasonInvalidName, keyErr.Error()})
	}
	if domain, err := hostname.Parse(o.Domain); err != nil {
		s.Refuse(v1alpha1.ReasonInvalidDomain, "spec.domain", err)
	} else {
		s.Domain = domain
	}
	s.main = s.backend(o, keyErr == nil)
	s.features = feature.Judge(o.Features, s.Refuse)
	return s
}

// backend judges spec.backend. The result is zero unless Service and port can be
// looked up.
func (s *Spec) backend(o *object.Site, keyValid bool) (b Backend) {
	before := len(s.Problems)
	if err := checkServiceName(o.Service); err != nil {
		s.Refuse(v1alpha1.ReasonInvalidServiceName, "spec.backend.serviceName", err)
	}
	if o.Port < 1 || o.Port > 65535 {
		s.Refuse(v1alpha1.ReasonInvalidServicePort, "spec.backend.servicePort",
			fmt.Errorf("%d is not a port: write the Service's port, a number from 1 to 65535", o.Port))
	}
	if len(s.Problems) > before || !keyValid {
		return b
	}
	return Backend{object.Key{Namespace: o.Namespace, Name: o.Service}, o.Port}
}

// Refuse notes that a field is invalid. The error says why, and what to write instead.
func (s *Spec) Refuse(reason, field string, err error) {
	s.Problems = append(s.Problems, Problem{reason, field + ": " + err.Error()})
}
