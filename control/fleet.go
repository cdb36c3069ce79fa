package control

import (
	"context"
	"slices"
	"time"

	"my-company.com/staticsite-operator/holdings"
)

// fleet is what is known of the other replicas of this program: each serves the
// same sites, to other proxies. Nothing is known, and nothing kept, but by the one
// that speaks for all, the leader.
//
// Leadership comes and goes by lead and follow. A replica that has never been told
// of others is alone, and speaks for itself.
type fleet struct {
	build     string                         // of this one
	following bool                           // another replica speaks for the sites, or nobody does
	replicas  map[string]*replica            // the others, by name
	versions  map[holdings.SiteVersion]*site // nil while there are no others to speak of them
}

// replica is one of the others.
type replica struct {
	state   holdings.ReplicaState
	build   string
	proxies int    // connected to it, that serve
	why     string // a connected one does not serve

	// What its proxies hold: of these versions everything, of those what is said.
	// Of any other nothing.
	settled map[holdings.SiteVersion]struct{}
	except  map[holdings.SiteVersion]holdings.Holding
}

// Follow tells the loop, before it runs, that there may be other replicas: it does
// not speak for the sites until it is told to lead. Build is the version of this
// program, for people.
func (l *Loop) Follow(build string) {
	l.join.build = build
	l.join.follow()
}

// Lead has this replica, which follows, speak for all: these, by name, itself among
// them. It is called again when they are others.
func (l *Loop) Lead(ctx context.Context, replicas []string) error {
	return l.call(ctx, func() { l.join.lead(replicas, time.Now()) })
}

// Resign ends what Lead began.
func (l *Loop) Resign(ctx context.Context) error { return l.call(ctx, l.join.follow) }

// Hear takes what another replica says, or that it says nothing.
func (l *Loop) Hear(ctx context.Context, report holdings.Report) error {
	return l.call(ctx, func() { l.join.hear(report, time.Now()) })
}

// lead begins to speak for all replicas, or takes which others there are now.
func (j *join) lead(names []string, now time.Time) {
	j.stirred = true
	if j.following {
		j.following = false
		j.replicas, j.versions = make(map[string]*replica), make(map[holdings.SiteVersion]*site, j.sites.Len())
		for s := range j.sites.All() {
			j.index(s)
			j.reopen(s)
		}
	}
	for name, r := range j.replicas {
		if !slices.Contains(names, name) {
			delete(j.replicas, name)
			j.review(r.except)
		}
	}
	for _, name := range names {
		if j.replicas[name] == nil {
			j.replicas[name] = &replica{}
		}
	}
	j.reconsider()
	j.countAll(now)
}

// follow leaves it to others to speak. Of each site it has at hand what it would
// have to say if it became the leader: what is True stands until all are heard.
func (j *join) follow() {
	j.following, j.replicas, j.versions = true, nil, nil
	clear(j.open)
	for s := range j.sites.All() {
		s.settled, s.heir = false, true
		j.put(s, true)
	}
}

// hear takes a report. It costs the sites in it; all that are not settled only if
// the replica's standing changes.
func (j *join) hear(report holdings.Report, now time.Time) {
	r := j.replicas[report.Replica]
	if r == nil {
		return // it left, or somebody else leads
	}
	if report.State != holdings.Heard && report.State == r.state {
		return
	}
	j.stirred = true
	before := *r
	r.state = report.State
	if report.State != holdings.Silent {
		r.proxies, r.why = report.Proxies, report.Why
	}
	if report.Reset {
		r.build = report.Build
	}
	if report.Reset || report.State == holdings.Vacant || report.State == holdings.Self {
		r.settled, r.except = make(map[holdings.SiteVersion]struct{}), make(map[holdings.SiteVersion]holdings.Holding)
	}
	for version, h := range report.Sites {
		r.take(version, h)
	}
	if report.Reset || before.state != r.state || (before.proxies == 0) != (r.proxies == 0) {
		j.review(before.except)
		j.review(r.except)
		j.reconsider()
	} else {
		j.review(report.Sites)
	}
	j.countAll(now)
}

func (r *replica) take(version holdings.SiteVersion, h holdings.Holding) {
	delete(r.settled, version)
	delete(r.except, version)
	switch {
	case h.Gone:
	case h.All():
		r.settled[version] = struct{}{}
	default:
		r.except[version] = h
	}
}

// holds tells whether every proxy of the replica has the site, or had it.
func (r *replica) holds(version holdings.SiteVersion) bool {
	_, settled := r.settled[version]
	return settled || r.except[version].Settled || r.proxies == 0
}

// holding is what the replica's proxies hold of a site. Of a silent replica the
// last refusals are the best that is known.
func (r *replica) holding(version holdings.SiteVersion) holdings.Holding {
	h := r.except[version]
	if _, settled := r.settled[version]; settled {
		h.Acknowledged = r.proxies
	}
	if r.state != holdings.Heard {
		h.Acknowledged = 0
	}
	return h
}

// knows tells whether the replica has said anything of a site.
func (r *replica) knows(version holdings.SiteVersion) bool {
	_, settled := r.settled[version]
	_, excepted := r.except[version]
	return settled || excepted
}

// differs tells that the replica is behind because it is of another build: what
// the two make of a site may never be equal.
func (r *replica) differs(version holdings.SiteVersion, build string) bool {
	return r.behind(version) && r.build != build
}

// behind tells that the replica's proxies cannot hold a site, since it does not
// serve it in this version.
func (r *replica) behind(version holdings.SiteVersion) bool {
	return r.connected() > 0 && !r.knows(version)
}

// review looks again at sites of which a replica said something.
func (j *join) review(versions map[holdings.SiteVersion]holdings.Holding) {
	for version := range versions {
		if s := j.versions[version]; s != nil {
			j.settle(s)
			j.put(s, false)
		}
	}
}

// reconsider looks again at all sites that are not settled.
func (j *join) reconsider() {
	if j.lost() || j.any(holdings.Silent) {
		return // and so they stay
	}
	for s := range j.open {
		if j.settle(s); s.settled {
			j.put(s, false)
		}
	}
}

// heldByAll tells whether every proxy of every replica holds a site. Only who
// speaks for all can say.
func (j *join) heldByAll(s *site) bool {
	if j.following || j.lost() || j.total() == 0 || len(j.proxies) > 0 && !s.held {
		return false
	}
	for _, r := range j.replicas {
		if r.state == holdings.Silent || !r.holds(s.version) {
			return false
		}
	}
	return true
}

// total is how many proxies are connected, as far as is known.
func (j *join) total() int {
	n := len(j.proxies)
	for _, r := range j.replicas {
		n += r.connected()
	}
	return n
}

func (r *replica) connected() int {
	if r.state != holdings.Heard {
		return 0
	}
	return r.proxies
}

// lost tells that this replica is to speak for all and is not itself among them:
// what it was told of the others is of something else.
func (j *join) lost() bool { return j.replicas != nil && !j.any(holdings.Self) }

// any tells whether some replica is in a state.
func (j *join) any(state holdings.ReplicaState) bool {
	for _, r := range j.replicas {
		if r.state == state {
			return true
		}
	}
	return false
}

// named returns the names of some replicas, sorted.
func (j *join) named(which func(*replica) bool) (names []string) {
	for name, r := range j.replicas {
		if which(r) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// index makes a site known by its version, while others speak of it by that.
func (j *join) index(s *site) {
	if j.versions != nil && s.version != 0 {
		j.versions[s.version] = s
	}
}

func (j *join) unindex(s *site) {
	if j.versions[s.version] == s {
		delete(j.versions, s.version)
	}
}
