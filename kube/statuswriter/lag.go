package statuswriter

import (
	"time"

	"my-company.com/staticsite-operator/object"
)

// lag knows which sites wait for a write, and the oldest of them, at a cost that
// does not depend on how many there are.
type lag struct {
	since map[object.Key]time.Time // of each site that waits

	// order has them by age, and others that do not wait any more.
	order []late
}

type late struct {
	site  object.Key
	since time.Time
}

// begin notes that a site waits from now on, unless it does already.
func (l *lag) begin(site object.Key, now time.Time) {
	if _, waits := l.since[site]; waits {
		return
	}
	l.since[site] = now
	l.order = append(l.order, late{site, now})
	if len(l.order) > 2*len(l.since)+64 {
		kept := l.order[:0]
		for _, e := range l.order {
			if l.waits(e) {
				kept = append(kept, e)
			}
		}
		l.order = kept
	}
}

// end notes that a site does not wait any more.
func (l *lag) end(site object.Key) { delete(l.since, site) }

// oldest returns since when a site waits, the zero time if none does.
func (l *lag) oldest() time.Time {
	for len(l.order) > 0 && !l.waits(l.order[0]) {
		l.order = l.order[1:]
	}
	if len(l.order) == 0 {
		return time.Time{}
	}
	return l.order[0].since
}

func (l *lag) waits(e late) bool {
	since, waits := l.since[e.site]
	return waits && since.Equal(e.since)
}
