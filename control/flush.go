package control

import (
	"hash/maphash"

	"my-company.com/staticsite-operator/control/decide"
	"my-company.com/staticsite-operator/control/proxies"
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/sitestatus"
)

// mark says what a flush has to do for a site.
type mark uint8

const (
	again mark = 1 << iota // decide its status anew
	due                    // put also a status that is undecided, unless just this was put
	tell                   // tell every view what our proxies hold of it
)

// mark has the flush of this turn look at a site.
func (j *join) mark(s *site, m mark) {
	if s.marked == 0 {
		j.dirty = append(j.dirty, s)
	}
	s.marked |= m
}

// flush ends a turn: of each marked site it notes whether it is held and settled,
// decides its status and puts it, and tells the views.
//
// A site that waited for a snapshot which every proxy here holds is marked here. It
// stays in waiting only while one of its resources is being tried again.
func (j *join) flush() {
	reached := 0
	for ; reached < len(j.waiting) && j.ours.Reached(j.waiting[reached].seq); reached++ {
		if w := j.waiting[reached]; w.current() {
			j.mark(w.site, again)
		}
	}
	j.tellProxies()
	for _, s := range j.dirty {
		m := s.marked
		s.marked = 0
		if j.settle(s) {
			m |= tell
		}
		if m&(again|due) != 0 {
			j.put(s, m)
		}
		if m&tell != 0 {
			j.tell(s)
		}
	}
	j.dirty = nil
	j.waiting.prune(reached)
}

// settle notes whether every proxy holds the site: those of this replica, and, if
// it speaks for the site, all. Once settled it stays so when a proxy connects that
// is still catching up: a True would otherwise be rewritten in every site whenever
// a proxy comes or goes. It returns true if our proxies hold the site since now.
func (j *join) settle(s *site) (held bool) {
	if !s.held && j.ours.Reached(s.seq) {
		if c := j.count(s); c.Trying == 0 {
			s.held, held = true, true
			j.measure(s, c.Refused)
		}
	}
	if !s.settled && s.version != 0 && j.heldByAll(s) {
		s.settled, s.heir = true, false
		delete(j.open, s)
	}
	return held
}

// heldByAll reports whether every proxy of every replica holds a site. Only who
// speaks for all can say.
func (j *join) heldByAll(s *site) bool {
	return (s.held || j.ours.Serving() == 0) && j.total() > 0 && j.fleet.Holds(s.version)
}

// total is how many proxies serve, here and elsewhere, as far as is known.
func (j *join) total() int { return j.ours.Serving() + j.fleet.Serving() }

// count counts our proxies that hold a site.
func (j *join) count(s *site) proxies.Count { return j.ours.Of(s.resources, s.seq, j.users.shared) }

// holding is what our proxies hold of a site.
func (j *join) holding(s *site) holdings.Holding {
	c := j.count(s)
	return holdings.Holding{Settled: s.held, Acknowledged: c.Acknowledged, Refused: c.Refused, Trying: c.Trying, Words: c.Words}
}

// put hands out a site's status if it differs from what was handed out last. An
// undecided one is put only if that is due. Of a site for which another replica
// speaks everything is handed out: nobody writes it, and it is there if this one
// has to.
func (j *join) put(s *site, m mark) {
	if s.gone {
		if s.held || j.ours.Serving() == 0 {
			j.forget(s)
		}
		return
	}
	e := j.extentOf(s)
	said, open := j.open[s]
	extent := uint64(0)
	if m&due != 0 {
		if extent = maphash.Comparable(j.digests, e); m&again == 0 && said == extent {
			return
		}
	}
	known := s.known()
	d := decide.Decide(&known, e.own, e.others)
	if d.Undecided() && m&due == 0 && !e.others.Following {
		return
	}
	status := d.Status()
	if sum := digest(status, j.digests); sum != s.sent {
		s.sent = sum
		j.renew(s)
		j.out.Put(s.key, *status)
	}
	if open && m&due != 0 {
		j.open[s] = extent
	}
}

// forget ends a site that was deleted, unless it exists again.
func (j *join) forget(s *site) {
	if j.sites.Get(s.key) == s {
		j.sites.Delete(s.key)
		j.out.Put(s.key, sitestatus.Status{Site: s.key, Gone: true, Proxies: j.ours.Serving()})
	}
}

// digest is equal for equal statuses, Proxies aside, and practically only for
// them. It is kept for each site instead of the status.
func digest(s *sitestatus.Status, seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	maphash.WriteComparable(&h, s.Generation)
	maphash.WriteComparable(&h, s.Standing != nil)
	for _, text := range append([]string{s.UID, s.Phase, s.Message}, s.Domains...) {
		maphash.WriteComparable(&h, text)
	}
	for _, c := range s.Conditions {
		maphash.WriteComparable(&h, c)
	}
	return h.Sum64()
}
