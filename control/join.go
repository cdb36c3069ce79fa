package control

import (
	"hash/maphash"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/control/fleet"
	"my-company.com/staticsite-operator/control/proxies"
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/index"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// join brings together what is known of every site, of our own proxies, and of the
// other replicas. It puts a status whenever what a site's owner should read has changed.
//
// Whatever happens (the turns: judge, observe, lead, follow, hear, progress) changes
// what is known and marks the sites concerned. Each turn ends with one flush, which
// does everything else.
//
// A site waits for one snapshot: the one in which its resources last changed.
// A proxy acknowledges snapshots, with exceptions. So an acknowledgement costs
// the sites that waited for it, not all sites.
type join struct {
	out     *latest.Map[object.Key, sitestatus.Status]
	sites   *index.Table[object.Key, site]
	digests maphash.Seed
	figures

	ours  *proxies.Table // what our own proxies hold
	fleet *fleet.Fleet   // what the other replicas say
	users users          // nil while no proxy has an exception

	// versions finds the site that another replica speaks of.
	//
	// Invariant: nil while this replica is not told of others; else it has each site
	// whose version is not zero.
	versions map[holdings.SiteVersion]*site

	views map[*holdings.View]struct{} // who wants to know what our proxies hold

	waiting waiting // the sites that are not held by our proxies
	progression
	outage

	leaving  map[*site]time.Time // sites that have no endpoint any more, since when, as long as that is not said
	observed time.Time           // when a stream was observed last

	dirty []*site // with a mark, each once; empty between turns
}

func newJoin(out *latest.Map[object.Key, sitestatus.Status], routes xds.Type, log *zap.Logger) *join {
	return &join{
		out: out, sites: index.New(func(s *site) object.Key { return s.key }), digests: maphash.MakeSeed(),
		figures: newFigures(),
		ours:    proxies.New(routes, log), fleet: fleet.Alone(),
		views:       make(map[*holdings.View]struct{}),
		progression: progression{open: make(map[*site]uint64)},
		leaving:     make(map[*site]time.Time),
	}
}

// judge takes new verdicts, and which resources were published with them in
// which snapshot. Arrived is when the change came that led to them.
func (j *join) judge(verdicts []translate.Verdict, changed []xds.Change, invalid map[xds.ResourceName]error, snap *xds.Snapshot, arrived time.Time) {
	defer j.flush()
	published := make(map[xds.ResourceName]bool, len(changed))
	for _, c := range changed {
		published[xds.ResourceName{Type: c.Type, Name: c.Name}] = true
	}
	for _, v := range verdicts {
		s := j.sites.Get(v.Site)
		if s == nil {
			if v.Gone {
				continue
			}
			s = &site{verdict: verdict{key: v.Site}, heir: true}
			j.sites.Put(s)
		}
		before, had := s.resources, s.endpoints
		j.users.remove(s)
		s.verdict, s.gone, s.resources, s.invalid = verdictOf(v), v.Gone, namesOf(v.Resources), nil
		j.users.add(s)
		j.noteEndpoints(s, had, arrived)
		for _, name := range s.resources {
			if err := invalid[name]; err != nil {
				s.invalid = err
			}
		}
		sent := anyOf(published, s.resources) || anyOf(published, before)
		if s.seq == 0 || sent {
			s.seq, s.held, s.told = snap.Seq(), false, -1
			if sent && s.arrived.IsZero() && j.ours.Serving() > 0 {
				s.arrived = arrived
			}
			j.waiting.add(s)
		}
		j.identify(s, versionOf(s, snap))
		j.renew(s)
		j.mark(s, again)
		j.fresh = append(j.fresh, s)
	}
}

// identify notes what a site is now.
func (j *join) identify(s *site, version holdings.SiteVersion) {
	if version == s.version {
		return
	}
	j.tellGone(s)
	if j.versions[s.version] == s {
		delete(j.versions, s.version)
	}
	s.heir = s.heir && (s.version == 0 || j.fleet.Following())
	s.version, s.settled = version, false
	j.index(s)
	j.reopen(s)
	j.mark(s, tell)
}

// index has a site found by its version, while others speak of it by that.
func (j *join) index(s *site) {
	if j.versions != nil && s.version != 0 {
		j.versions[s.version] = s
	}
}

// observe takes what streams acknowledged, refused, or that they ended.
func (j *join) observe(states map[uint64]xds.StreamState, now time.Time) {
	defer j.flush()
	j.stirred, j.observed = true, now
	had := j.ours.Serving()
	touched := j.ours.Observe(states, now)
	if j.users == nil && j.ours.Exceptions() {
		j.users = usersOf(j.sites)
	}
	for _, t := range touched {
		for _, s := range j.users[t.Name] {
			if s.seq > t.After {
				j.mark(s, again|tell)
			}
		}
	}
	if !j.ours.Exceptions() {
		j.users = nil
	}
	if had > 0 && j.ours.Serving() == 0 {
		j.abandon()
		j.reconsider() // The proxies of others may hold what ours did not.
	}
	j.countServing(now)
	j.countProxies(j.ours.Serving(), j.ours.Idle())
}

// abandon ends what waits for our proxies, of which none is left: measurements, and
// sites that were deleted.
func (j *join) abandon() {
	for _, w := range j.waiting {
		w.site.arrived = time.Time{}
		if w.site.gone {
			j.mark(w.site, again)
		}
	}
}

// lead begins to speak for all replicas, or takes which others there are now.
func (j *join) lead(names []string, now time.Time) {
	defer j.flush()
	j.stirred = true
	begins := j.fleet.Following()
	said := j.fleet.Lead(names)
	if begins {
		j.versions = make(map[holdings.SiteVersion]*site, j.sites.Len())
		for s := range j.sites.All() {
			j.index(s)
			j.reopen(s)
		}
	}
	j.review(said)
	j.reconsider()
	j.countServing(now)
}

// follow leaves it to others to speak. Of each site it has at hand what it would
// have to say if it became the leader: what is True stands until all are heard.
func (j *join) follow() {
	defer j.flush()
	j.fleet.Follow()
	j.versions = nil
	clear(j.open)
	for s := range j.sites.All() {
		s.settled, s.heir = false, true
		j.mark(s, again)
	}
}

// hear takes a report. It costs the sites in it; all that are not settled only if
// the replica's standing changes.
func (j *join) hear(report holdings.Report, now time.Time) {
	defer j.flush()
	news, ok := j.fleet.Hear(report)
	if !ok {
		return
	}
	j.stirred = true
	j.review(news.Versions)
	if news.All {
		j.reconsider()
	}
	j.countServing(now)
}

// review looks again at sites of which another replica said something.
func (j *join) review(versions []holdings.SiteVersion) {
	for _, version := range versions {
		if s := j.versions[version]; s != nil {
			j.mark(s, again)
		}
	}
}

// reconsider looks again at all sites that are not settled.
func (j *join) reconsider() {
	if j.fleet.Deaf() {
		return // and so they stay
	}
	for s := range j.open {
		if j.heldByAll(s) {
			j.mark(s, again)
		}
	}
}

func anyOf(set map[xds.ResourceName]bool, names []xds.ResourceName) bool {
	for _, name := range names {
		if set[name] {
			return true
		}
	}
	return false
}
