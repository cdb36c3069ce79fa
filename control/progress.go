package control

import (
	"maps"
	"slices"
	"time"

	"my-company.com/staticsite-operator/control/decide"
	"my-company.com/staticsite-operator/control/fleet"
)

// progression is what is needed to say of the unsettled sites how far they are, and
// to say it only of those that have come further.
type progression struct {
	// open are the sites that are sent and not settled, as long as this replica
	// speaks for them, with the digest of the extent that was put last; zero if what
	// was put last is something else.
	open map[*site]uint64

	ticks   int32   // calls of progress
	stirred bool    // something has happened since then that may have brought any site further
	fresh   []*site // judged since then, or too young then to be spoken of
}

// extent is how far a site is: all that its status is made of besides its verdict.
type extent struct {
	own    decide.Own
	others fleet.Opinion
}

func (j *join) extentOf(s *site) extent {
	return extent{decide.Own{Holding: j.holding(s), Serving: j.ours.Serving(), Why: j.why}, j.fleet.Of(s.version)}
}

// reopen notes that a site is not settled, if it is ours to say so.
func (j *join) reopen(s *site) {
	if s.version == 0 || j.fleet.Following() {
		delete(j.open, s)
	} else {
		j.open[s], s.opened = 0, j.ticks
	}
}

// renew notes that how far a site is has to be said again, since something else about
// it was put, or is to be.
func (j *join) renew(s *site) {
	if j.open[s] != 0 {
		j.open[s] = 0
	}
}

// progress puts how far the unsettled sites are, those that it has found so before:
// of all that have come further, if anything has stirred, else of the fresh. A site
// that is acknowledged in the meantime gets one status, not two.
func (j *join) progress(now time.Time) {
	defer j.flush()
	j.ticks++
	j.desert(now)
	j.explainOutage(now)
	j.waiting.prune(len(j.waiting))
	news := maps.Keys(j.open)
	if !j.stirred {
		news = slices.Values(j.fresh)
	}
	if j.stirred || len(j.fresh) > 0 {
		j.stirred, j.fresh = false, nil
		for s := range news {
			j.report(s)
		}
		j.markProgress()
	}
	j.countServing(now)
	if j.over(now) {
		j.orphan()
	}
}

// report has the flush put how far a site is, once it has been open for a while: a
// proxy that stands still may hold up many, while others answer all the time.
func (j *join) report(s *site) {
	if _, open := j.open[s]; !open {
		return
	}
	if j.ticks-s.opened < 2 {
		j.fresh = append(j.fresh, s)
		return
	}
	j.mark(s, due)
}
