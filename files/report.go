package files

import (
	"strings"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/object"
)

// tell says what a person did: to the status of a site, which has more to say
// about it, or else to the log.
func (s *Source) tell(ref object.Ref, c change) {
	if ref.Kind == object.KindSite {
		n := notice{at: c.noticed, gone: c.object == nil}
		if site, ok := c.object.(*object.Site); ok {
			n.generation = site.Generation
		}
		s.notices.Put(ref.Key, n)
		return
	}
	if !s.synced {
		return
	}
	message := "object read"
	if c.object == nil {
		message = "object gone"
	}
	s.log.Info(message, zap.String("object", string(ref.Kind)+" "+ref.Key.String()), zap.String("file", c.path))
}

// refuse logs problems. Each costs only the object that it names.
func (s *Source) refuse(problems []Problem) {
	for _, p := range problems {
		text := strings.TrimPrefix(p.Err.Error(), p.Err.Object+": ")
		s.log.Warn(Refused, zap.String("file", p.File), zap.String("object", p.Err.Object), zap.String("error", text))
	}
}

// Refused is the log message about a mistake in a file; its fields are file,
// object and error.
const Refused = "file refused"
