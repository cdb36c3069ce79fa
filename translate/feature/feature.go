package feature

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// A Feature is one field of a specification.
type Feature struct {
	Field  string // below spec
	Reason string // of the condition Accepted, if the field is not valid

	// judge returns what a site asks for, nil if it does not ask. It refuses what is
	// wrong: a path below Field, and an error that says what to write instead. It refuses
	// once at most, so that a message has bounds.
	judge func(f *v1alpha1.SiteFeatures, refuse func(path string, err error)) Part

	// describe says what a virtual host does of the feature, a line each.
	describe func(*routev3.VirtualHost) []string
}

// A Part is a feature that a site asks for. It is not modified once it is served.
type Part interface {
	// Render writes the feature into the site's virtual host.
	Render(*routev3.VirtualHost)
}

// All are the features, in the order in which they act.
var All = [...]Feature{
	{"responseHeaders", v1alpha1.ReasonInvalidResponseHeaders, judgeResponseHeaders, describeResponseHeaders},
}

// Judge returns what a site asks for, all of it in one: nil if that is nothing. It
// refuses fields that are wrong; the error says what to write instead.
func Judge(f *v1alpha1.SiteFeatures, refuse func(reason, field string, err error)) Part {
	if f == nil {
		return nil
	}
	var all parts
	for _, feature := range All {
		part := feature.judge(f, func(path string, err error) {
			refuse(feature.Reason, "spec."+feature.Field+path, err)
		})
		if part != nil {
			all = append(all, part)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// parts are those of several features, in the order of All.
type parts []Part

func (all parts) Render(host *routev3.VirtualHost) {
	for _, part := range all {
		part.Render(host)
	}
}

// Describe says what a virtual host does of all features, a line each: the field, and
// what it does.
func Describe(host *routev3.VirtualHost) (lines []string) {
	for _, feature := range All {
		for _, line := range feature.describe(host) {
			lines = append(lines, feature.Field+": "+line)
		}
	}
	return lines
}
