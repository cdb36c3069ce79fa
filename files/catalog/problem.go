package catalog

import (
	"errors"
	"io/fs"

	"my-company.com/staticsite-operator/decode"
)

// Problem is a mistake in a file. Its text reads "sites/docs.yaml: StaticSite
// docs/handbook: spec.domain: missing; write ...".
type Problem struct {
	File string
	Err  *decode.Error
}

func (p Problem) Error() string { return p.File + ": " + p.Err.Error() }

func (p Problem) Unwrap() error { return p.Err }

// Unreadable is the problem of a file that cannot be opened or read.
func Unreadable(path string, err error) Problem {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err // the path stands before it anyway
	}
	return Problem{path, &decode.Error{Problem: "cannot be read: " + err.Error()}}
}
