package files

import (
	"strings"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/files/catalog"
	"my-company.com/staticsite-operator/object"
)

// tell says what a person did: to the status of a site, which has more to say
// about it, or else to the log.
func (s *Source) tell(ref object.Ref, c catalog.Change) {
	if ref.Kind == object.KindSite {
		n := notice{at: c.Noticed, gone: c.Object == nil}
		if site, ok := c.Object.(*object.Site); ok {
			n.generation = site.Generation
		}
		s.notices.Put(ref.Key, n)
		return
	}
	if !s.synced {
		return
	}
	message := "object read"
	if c.Object == nil {
		message = "object gone"
	}
	s.log.Info(message, zap.String("object", string(ref.Kind)+" "+ref.Key.String()), zap.String("file", c.Path))
}

// refuse logs problems. Each costs only the object that it names.
func (s *Source) refuse(problems []catalog.Problem) {
	for _, p := range problems {
		text := strings.TrimPrefix(p.Err.Error(), p.Err.Object+": ")
		s.log.Warn(Refused, zap.String("file", p.File), zap.String("object", p.Err.Object), zap.String("error", text))
	}
}

// Refused is the log message about a mistake in a file; its fields are file,
// object and error.
const Refused = "file refused"
