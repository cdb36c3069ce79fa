package control

import (
	"time"

	"my-company.com/staticsite-operator/translate"
)

// endpointsGrace is how long the last endpoint of a site may be gone before that is
// said: a pod that is replaced by another, or a probe that fails once, is no news.
// That there is one again is said at once. So pods that come and go write at most
// two statuses of a site in that time.
const endpointsGrace = 10 * time.Second

// noteEndpoints takes what a new verdict says of a site's endpoints.
func (j *join) noteEndpoints(s *site, before translate.Endpoints, now time.Time) {
	switch {
	case s.gone, s.endpoints != translate.EndpointsNone:
		s.deserted = false
		delete(j.leaving, s)
	case before != translate.EndpointsUsable && j.leaving[s].IsZero():
		s.deserted = true // It is new, or was not looked at: there is nothing to wait for.
	case j.leaving[s].IsZero() && !s.deserted:
		j.leaving[s] = now
	}
}

// desert finds the sites whose last endpoint is gone for good.
func (j *join) desert(now time.Time) {
	for s, since := range j.leaving {
		if now.Sub(since) < endpointsGrace {
			continue
		}
		delete(j.leaving, s)
		s.deserted = true
		j.renew(s)
		j.mark(s, again)
		j.fresh = append(j.fresh, s)
	}
}
