package decode

import (
	"slices"
	"strings"
	"unicode"
)

// Error is one mistake in an object, in words its owner can act on. Its text
// reads "StaticSite docs/handbook: spec.domain: missing; write ...".
type Error struct {
	Object  string // kind and namespace/name; empty when the text is no object at all
	Field   string // the path of the field; empty when it is about the whole object
	Problem string // what is wrong and what to write instead
}

// Error is always one line, whatever stands in the object.
func (e *Error) Error() string {
	parts := slices.DeleteFunc([]string{e.Object, e.Field, e.Problem}, func(part string) bool { return part == "" })
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.Join(parts, ": "))
}

// mistakes collects what is wrong with one object, each thing once.
type mistakes struct{ list []*Error }

func (m *mistakes) report(path, problem string) {
	known := func(e *Error) bool { return e.Field == path && e.Problem == problem }
	if !slices.ContainsFunc(m.list, known) {
		m.list = append(m.list, &Error{Field: path, Problem: problem})
	}
}

// below takes out the mistakes below a path, and returns them as seen from there.
func (m *mistakes) below(path string) (inner mistakes) {
	m.list = slices.DeleteFunc(m.list, func(e *Error) bool {
		rest, is := strings.CutPrefix(e.Field, path+".")
		if is {
			inner.report(rest, e.Problem)
		}
		return is
	})
	return inner
}

// of returns them as those of the object with that name.
func (m *mistakes) of(object string) []*Error {
	for _, e := range m.list {
		e.Object = object
	}
	return m.list
}
