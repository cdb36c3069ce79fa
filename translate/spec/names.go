package spec

import (
	"fmt"
	"strings"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/hostname"
	"my-company.com/staticsite-operator/translate/text"
)

// ShowKey returns an object's key for a message, quoted if it is none that the API
// server would admit.
func ShowKey(k object.Key) string {
	if CheckKey(k) != nil {
		return text.Quote(k.String())
	}
	return k.String()
}

// CheckKey refuses what the API server would: namespace and name are parts of
// the names of resources, and no two sites may come to share one. Its error
// names the field.
func CheckKey(k object.Key) error {
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
