package decode

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Field is a place in an object: what is there, and its path for errors. An
// absent field has no value, and everything below it is absent too, so that
// reading goes on after a mistake and reports each one once.
type Field struct {
	Value any // as JSON has it, whole numbers as int64; nil when absent

	path   string
	report func(path, problem string)
}

// Lenient returns a field of which nobody is told the mistakes: what is not as it
// should be reads as if it were absent.
func Lenient(value any) Field { return Field{Value: value, report: func(string, string) {}} }

// At returns the field of that name below f. It may be absent.
func (f Field) At(name string) Field {
	below := Field{path: join(f.path, name), report: f.report}
	switch value := f.Value.(type) {
	case nil:
	case map[string]any:
		below.Value = value[name]
	default:
		f.refuse("fields below it")
	}
	return below
}

// need is At for a field that must be there: its absence is reported, unless f
// itself is absent, which was reported before.
func (f Field) need(name string) Field {
	below := f.At(name)
	if _, present := f.Value.(map[string]any); present && below.Value == nil {
		below.report(below.path, missing(below.path))
	}
	return below
}

// Text returns "" for an absent field.
func (f Field) Text() string {
	switch value := f.Value.(type) {
	case nil:
	case string:
		return value
	default:
		f.refuse("text in quotes")
	}
	return ""
}

// number returns 0 for an absent field.
func (f Field) number() int32 {
	switch value := f.Value.(type) {
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

// Long is number for 64 bits.
func (f Field) Long() int64 {
	switch value := f.Value.(type) {
	case nil:
	case int64:
		return value
	default:
		f.refuse("a whole number")
	}
	return 0
}

// truth returns otherwise for an absent field.
func (f Field) truth(otherwise bool) bool {
	switch value := f.Value.(type) {
	case nil:
	case bool:
		return value
	default:
		f.refuse("true or false")
	}
	return otherwise
}

// List returns the items that are not null, none for an absent field.
func (f Field) List() []Field {
	switch value := f.Value.(type) {
	case nil:
	case []any:
		items := make([]Field, 0, len(value))
		for i, item := range value {
			if item != nil {
				items = append(items, Field{path: nth(f.path, i), Value: item, report: f.report})
			}
		}
		return items
	default:
		f.refuse("a list")
	}
	return nil
}

// Texts returns the items of a list of texts.
func (f Field) Texts() []string {
	var texts []string
	for _, item := range f.List() {
		texts = append(texts, item.Text())
	}
	return texts
}

// Time returns the zero time for an absent field.
func (f Field) Time() time.Time {
	text := f.Text()
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.refuse("a time such as 2006-01-02T15:04:05Z")
	}
	return t
}

// refuse reports a value of the wrong type.
func (f Field) refuse(want string) {
	f.report(f.path, fmt.Sprintf("write %s, not %s", wanted(f.path, want), show(f.Value)))
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func nth(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// inWords says what belongs into a Field, in the words of its owner. For other
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
