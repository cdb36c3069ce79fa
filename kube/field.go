package kube

import (
	"fmt"
	"math"
	"strconv"
)

// field is a place in an object: what is there, and its path for errors. An
// absent field has no value, and everything below it is absent too, so that
// reading goes on after a mistake and reports each one once.
type field struct {
	path   string
	value  any // as JSON has it, whole numbers as int64; nil when absent
	report func(path, problem string)
}

// at returns the field of that name below f. It may be absent.
func (f field) at(name string) field {
	below := field{path: join(f.path, name), report: f.report}
	switch value := f.value.(type) {
	case nil:
	case map[string]any:
		below.value = value[name]
	default:
		f.refuse("fields below it")
	}
	return below
}

// need is at for a field that must be there: its absence is reported, unless f
// itself is absent, which was reported before.
func (f field) need(name string) field {
	below := f.at(name)
	if _, present := f.value.(map[string]any); present && below.value == nil {
		below.report(below.path, missing(below.path))
	}
	return below
}

// text returns "" for an absent field.
func (f field) text() string {
	switch value := f.value.(type) {
	case nil:
	case string:
		return value
	default:
		f.refuse("text in quotes")
	}
	return ""
}

// number returns 0 for an absent field.
func (f field) number() int32 {
	switch value := f.value.(type) {
	case nil:
	case int64:
		if value >= math.MinInt32 && value <= math.MaxInt32 {
			return int32(value)
		}
		f.refuse("a smaller number")
	default:
		f.refuse("a whole number")
	}
	return 0
}

// long is number for 64 bits.
func (f field) long() int64 {
	switch value := f.value.(type) {
	case nil:
	case int64:
		return value
	default:
		f.refuse("a whole number")
	}
	return 0
}

// truth returns otherwise for an absent field.
func (f field) truth(otherwise bool) bool {
	switch value := f.value.(type) {
	case nil:
	case bool:
		return value
	default:
		f.refuse("true or false")
	}
	return otherwise
}

// list returns the items that are not null, none for an absent field.
func (f field) list() []field {
	switch value := f.value.(type) {
	case nil:
	case []any:
		items := make([]field, 0, len(value))
		for i, item := range value {
			if item != nil {
				items = append(items, field{path: nth(f.path, i), value: item, report: f.report})
			}
		}
		return items
	default:
		f.refuse("a list")
	}
	return nil
}

// refuse reports a value of the wrong type.
func (f field) refuse(want string) {
	f.report(f.path, fmt.Sprintf("write %s, not %s", wanted(f.path, want), show(f.value)))
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func nth(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// inWords says what belongs into a field, in the words of its owner. For other
// fields an error has those of the type.
var inWords = map[string]string{
	"kind":                     "StaticSite, Service, EndpointSlice, SiteDomainPolicy or Namespace",
	"metadata":                 "the name and namespace of the object",
	"metadata.name":            "a name such as handbook",
	"metadata.namespace":       "a namespace such as docs",
	"spec.domain":              "a host name such as docs.example.com",
	"spec.backend":             "the serviceName and servicePort that answer the site's requests",
	"spec.backend.serviceName": "the name of a Service in the same namespace",
	"spec.backend.servicePort": "a number from 1 to 65535",
	"spec.mode":                "Permit or Reserve",
	"spec.namespaceSelector":   "labels of namespaces such as matchLabels: {team: docs}; {} selects all",
	"spec.domains":             "the domains that the policy is about, each as exact or suffix",
	"addressType":              "IPv4 or IPv6",
}

func wanted(path, otherwise string) string {
	if words, ok := inWords[path]; ok {
		return words
	}
	return otherwise
}

func missing(path string) string {
	if words, ok := inWords[path]; ok {
		return "missing; write " + words
	}
	return "missing"
}

// show is a value as it may stand in an error.
func show(value any) string {
	const most = 60
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		if len(value) > most {
			return fmt.Sprintf("%.*q...", most, value)
		}
		return strconv.Quote(value)
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	case []any:
		return "a list"
	case map[string]any:
		return "fields"
	default:
		return fmt.Sprint(value) // int64 or bool
	}
}
