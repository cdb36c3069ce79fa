package statuswriter

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"my-company.com/staticsite-operator/kube/observed"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
)

// ledger knows of each site which status it should have and which one it has,
// and hands out the writes that are missing. It does no I/O and has no clock.
//
// It keeps both for all sites, on every replica, so that whoever becomes leader
// has everything to consider, and nobody has to be asked to say it again. In the
// form that it is kept a status takes some 200 bytes.
//
// Invariant: a site whose two statuses differ is in a queue, or being written,
// or waits for a time or for news from the API server.
type ledger struct {
	sites map[object.Key]*account

	queues  [inNone][]object.Key
	waiting map[object.Key]time.Time // for the time of another attempt

	// Figures: since when sites wait for a write, and how many have which phase.
	now    time.Time // when what is told to the ledger became known; whoever tells keeps it
	lag    lag
	phases sitestatus.Phases
}

// account is one site.
type account struct {
	want     *observed.Summary // nil: nobody said yet, or the site is gone
	standing *observed.Summary // not nil: to be had instead of want where the object says already that it is programmed
	seen     *observed.Status  // nil: the API server has no such site
	queued   level
	writing  bool
	attempts int       // to write what is wanted, since it is or since a calm
	last     time.Time // when the last of them began
}

// level is how soon a write is made.
type level uint8

const (
	inLess    level = iota // the object says more than is so, which misleads for as long as it stands
	inDomains              // which domains the site holds: of everything in a status only they decide what is served
	inRest
	inNone
)

// How often one status is written when that fails, has no effect, or is undone by
// somebody else: a few times as soon as there is news, then more and more slowly.
const (
	attemptsAtOnce          = 5
	undoneLeast, undoneMost = time.Second, 5 * time.Minute
	calm                    = 10 * time.Minute // after which all is forgotten; longer than any wait
)

// write is one write to make.
type write struct {
	site    object.Key
	want    observed.Summary
	seen    *observed.Status // what it is based on; the write is void if the API server has anything newer
	attempt int              // 1 for the first
}

func newLedger() *ledger {
	return &ledger{
		sites: make(map[object.Key]*account), waiting: make(map[object.Key]time.Time),
		lag: lag{since: make(map[object.Key]time.Time)}, phases: sitestatus.NewPhases(),
	}
}

// demand takes which status a site should have.
func (l *ledger) demand(s sitestatus.Status) {
	a := l.account(s.Site)
	before := a.want
	a.want, a.standing = nil, nil
	if !s.Gone {
		want := observed.Summarise(s)
		a.want = &want
	}
	if s.Standing != nil {
		standing := observed.Summarise(*s.Standing)
		a.standing = &standing
	}
	if before == nil || a.want == nil || !before.Equal(*a.want) {
		a.attempts = 0 // another status may fare better
	}
	delete(l.waiting, s.Site)
	l.settle(s.Site, a)
}

// see takes which status a site has; nil means that there is no such site.
func (l *ledger) see(site object.Key, seen *observed.Status) {
	a := l.account(site)
	if seen != nil && a.seen != nil && older(seen, a.seen) {
		return // from before our own last write
	}
	l.have(a, seen)
	delete(l.waiting, site)
	l.settle(site, a)
}

// next hands out a write; ok is false if there is none to make now.
func (l *ledger) next() (w write, ok bool) {
	for {
		site, level, ok := l.pop()
		if !ok {
			return write{}, false
		}
		a := l.sites[site]
		if a == nil || a.queued != level {
			continue // it was handed out from another queue
		}
		a.queued = inNone
		if a.differs() && !a.writing {
			a.writing = true
			a.attempts, a.last = a.attempts+1, l.now
			return write{site, *a.due(), a.seen, a.attempts}, true
		}
	}
}

func (l *ledger) pop() (object.Key, level, bool) {
	for i, keys := range l.queues {
		if len(keys) > 0 {
			l.queues[i] = keys[1:]
			return keys[0], level(i), true
		}
	}
	return object.Key{}, inNone, false
}

// written takes that a write was made, and what the API server has since: what was
// written, if it had the effect that it should.
func (l *ledger) written(w write, seen *observed.Status) {
	a := l.sites[w.site]
	a.writing = false
	if a.seen != nil && older(a.seen, seen) {
		l.have(a, seen)
	}
	if seen.Equal(w.want) {
		l.lag.end(w.site) // what it waits for now, if anything, is something else
	}
	l.settle(w.site, a)
}

// vanished takes that there was nothing to write to. News of it will come.
func (l *ledger) vanished(w write) {
	a := l.sites[w.site]
	a.writing, a.attempts = false, 0
	if a.seen == w.seen {
		l.have(a, nil)
	}
	l.settle(w.site, a)
}

// failed takes that a write was not made, or that nobody knows, and that there
// is no use in another attempt before some time.
func (l *ledger) failed(w write, now time.Time, least, most time.Duration) {
	a := l.sites[w.site]
	a.writing = false
	if a.seen == w.seen && a.want != nil && a.due().Equal(w.want) { // else what stood against it may be gone
		l.waiting[w.site] = now.Add(doubled(least, w.attempt-1, most))
	}
	l.settle(w.site, a)
}

// postponed takes that a write was not made for no fault of its own.
func (l *ledger) postponed(w write) {
	a := l.sites[w.site]
	a.writing = false
	a.attempts = max(0, a.attempts-1)
	l.settle(w.site, a)
}

// doubled is a time that doubles so many times.
func doubled(least time.Duration, times int, most time.Duration) time.Duration {
	return min(least<<min(times, 16), most)
}

// wake makes those writes due that have waited until now. It returns when to
// call it again; ok is false if nothing waits.
func (l *ledger) wake(now time.Time) (at time.Time, ok bool) {
	for site, until := range l.waiting {
		switch {
		case !until.After(now):
			delete(l.waiting, site)
			if a := l.sites[site]; a != nil {
				l.settle(site, a)
			}
		case !ok || until.Before(at):
			at, ok = until, true
		}
	}
	return at, ok
}

func (l *ledger) account(site object.Key) *account {
	a := l.sites[site]
	if a == nil {
		a = &account{queued: inNone}
		l.sites[site] = a
	}
	return a
}

// have notes what the API server has.
func (l *ledger) have(a *account, seen *observed.Status) {
	if a.seen != nil {
		l.phases.Go(a.seen.Words.Value().Phase)
	}
	if a.seen = seen; seen != nil {
		l.phases.Come(seen.Words.Value().Phase)
	}
}

// settle puts a site where it belongs: into a queue, or out of the ledger.
func (l *ledger) settle(site object.Key, a *account) {
	if a.differs() {
		l.lag.begin(site, l.now)
	} else {
		l.lag.end(site)
	}
	if a.want == nil && a.seen == nil && !a.writing {
		delete(l.sites, site)
		delete(l.waiting, site)
		return
	}
	if _, waits := l.waiting[site]; waits || a.writing || !a.differs() {
		return
	}
	if at := a.soonest(l.now); at.After(l.now) {
		l.waiting[site] = at
	} else if level := a.level(); level < a.queued {
		a.queued = level
		l.queues[level] = append(l.queues[level], site)
	}
}

// soonest is when what is wanted may be written, for the first time or again.
func (a *account) soonest(now time.Time) time.Time {
	if now.Sub(a.last) > calm {
		a.attempts = 0
	}
	if a.attempts < attemptsAtOnce {
		return now
	}
	return a.last.Add(doubled(undoneLeast, a.attempts-attemptsAtOnce, undoneMost))
}

func (a *account) level() level {
	switch due := a.due(); {
	case a.seen.Exceeds(due):
		return inLess
	case !slices.Equal(due.Domains, a.seen.Domains):
		return inDomains
	}
	return inRest
}

// differs reports whether a write is missing. Of an object that was made anew under
// the name, what is wanted is not known until it is said of that one: the status of
// the one before may be anything but true of it.
func (a *account) differs() bool {
	return a.want != nil && a.seen != nil && a.want.UID == a.seen.UID && !a.due().Equal(a.seen.Summary)
}

// due is what the object should have, given what it has.
func (a *account) due() *observed.Summary {
	if a.standing != nil && a.seen != nil && a.seen.Programmed(a.want) {
		return a.standing
	}
	return a.want
}

// older reports whether a is of an earlier version of the object than b. Versions
// that cannot be compared count as being in order of arrival. Those of two listings
// cannot: in between the cluster may have been restored from a backup, and give out
// versions a second time.
func older(a, b *observed.Status) bool {
	if a.Listing != b.Listing {
		return a.Listing < b.Listing
	}
	order, err := resourceversion.CompareResourceVersion(a.Version, b.Version)
	return err == nil && order < 0
}
