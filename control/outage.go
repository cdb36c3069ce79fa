package control

import (
	"time"

	"my-company.com/staticsite-operator/control/proxies"
)

// outage is that no proxy serves, here or anywhere.
type outage struct {
	// since is when it began; zero: some proxy serves, or may. Said is that it is put
	// in every site.
	//
	// Invariant: said implies that since is not zero.
	since time.Time
	said  bool

	// why is what is said of every site while no proxy serves, as it was found at
	// whyAt; empty: one does, or the reason is not known.
	why   string
	whyAt time.Time
}

// proxiesGrace is how long no proxy may serve before sites that were programmed are
// said not to be: this program's own restart is shorter.
const proxiesGrace = proxies.Grace

// whyPause is how long what is said of all sites, while nobody serves, stays at
// least: proxies that come and go with other words each time must not rewrite
// every status each time.
const whyPause = time.Minute

// countServing notes since when no proxy serves, as far as it is ours to say.
func (j *join) countServing(now time.Time) {
	switch {
	case j.fleet.Following() || j.fleet.Deaf() || j.total() > 0:
		j.since, j.said = time.Time{}, false
	case j.since.IsZero():
		j.since = now
	}
}

// over reports whether the outage has lasted for longer than the grace, and is not
// said yet.
func (o *outage) over(now time.Time) bool {
	return !o.said && !o.since.IsZero() && now.Sub(o.since) > proxiesGrace
}

// orphan unsettles every site: no proxy serves.
func (j *join) orphan() {
	j.said = true
	j.waiting = nil
	for s := range j.sites.All() {
		s.held, s.settled, s.heir = false, false, false
		j.waiting.add(s)
		j.reopen(s)
		j.mark(s, again|due|tell)
	}
	j.waiting.sort()
}

// explainOutage finds what is to be said of every site if nobody serves: why one of
// our proxies does not, or else one of another replica.
func (j *join) explainOutage(now time.Time) {
	j.ours.NameIdle(now)
	if j.total() > 0 {
		j.why = ""
		return
	}
	why := j.ours.Why()
	if why == "" {
		why = j.fleet.Why()
	}
	switch {
	case why == "" || why == j.why: // What was said last is the best that is known.
	case j.why == "" || now.Sub(j.whyAt) > whyPause:
		j.why, j.whyAt, j.stirred = why, now, true
	}
}
