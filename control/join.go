package control

import (
	"cmp"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"time"
	"unique"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/index"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// join holds what is known of every site, of every connected proxy, and of the
// other replicas, and puts out a status whenever what a site's owner should read
// has changed.
//
// A site waits for one snapshot: the one in which its resources last changed.
// A proxy acknowledges snapshots, with exceptions. So an acknowledgement costs
// the sites that waited for it, not all sites.
type join struct {
	out   *latest.Map[translate.Key, sitestatus.Status]
	sites *index.Table[translate.Key, site]

	// waiting are the sites that are not held by our proxies, oldest snapshot
	// first. An entry whose site has moved on to another snapshot is skipped.
	waiting []waiter

	// open are the sites that are sent and not settled, as long as this replica
	// speaks for them, with what was said last of how far each is; nil if that was
	// something else. What there is to say of them is said by progress: of all that
	// have come further, if anything has stirred since it was called last, else of
	// the fresh.
	open    map[*site]*extent
	stirred bool
	fresh   []*site // judged since then, or too young then to be spoken of
	ticks   int32   // calls of progress

	figures
	now time.Time // of the newest observation
	log *zap.Logger

	routes   xds.Type                   // the type that holds the sites' routes, by layout
	proxies  map[uint64]xds.StreamState // streams of proxies that serve
	idle     map[uint64]*idle           // of those that do not
	why      string                     // nobody serves, as is said of every site; empty: somebody does, or it is not known
	whySince time.Time

	held  map[uint64]int // how many of them have acknowledged each snapshot, and no later one
	floor uint64         // the oldest of these: every proxy has acknowledged it

	leaving map[*site]time.Time // sites that have no endpoint any more, since when, as long as that is not said

	lonely   time.Time // since when no proxy serves, here or anywhere; zero: some do, or may
	orphaned bool      // and it is said

	digests maphash.Seed

	exceptions map[xds.ResourceName]map[uint64]exception // by stream
	users      users                                     // nil while there are no exceptions

	views map[*holdings.View]struct{} // who wants to know what our proxies hold
	fleet                             // what is known of the other replicas
}

// site is what is known of one StaticSite.
//
// There may be hundreds of thousands, so what nearly all of them say alike is said
// once, and the order of the fields leaves no gaps.
type site struct {
	verdict
	resources []xds.ResourceName
	invalid   error                // a resource of it was withheld
	seq       uint64               // the snapshot it waits for
	version   holdings.SiteVersion // what it is in it

	arrived time.Time // of the oldest change that is not held; zero if there is none, or nobody could have held it
	sent    uint64    // digest of the status that was handed out last
	opened  int32     // ticks when it became open
	told    int32     // by how many proxies it is acknowledged, as every view was told last; -1: not said of seq yet
	held    bool      // seq was acknowledged by every proxy that was connected to this replica
	settled bool      // version was, by every proxy of every replica; only who speaks for the site knows
	heir    bool      // it is what it was when this replica began to speak for it, and not settled since
	gone    bool      // the object is

	deserted bool // there is no endpoint, and that may be said
}

// verdict is what is kept of a translate.Verdict.
type verdict struct {
	key                translate.Key
	uid                string
	generation         int64
	holds              []string
	accepted, resolved unique.Handle[translate.Condition]
	endpoints          translate.Endpoints
}

func verdictOf(v translate.Verdict) verdict {
	return verdict{v.Site, v.UID, v.Generation, v.Holds, unique.Make(v.Accepted), unique.Make(v.ResolvedRefs), v.Endpoints}
}

type waiter struct {
	site *site
	seq  uint64
}

// exception is one of a stream, and since when: all that the stream acknowledged
// up to that snapshot it holds. The loop may miss a state of the stream that was
// followed by another at once, and since is earlier then than it could be.
type exception struct {
	xds.Exception
	since uint64
}

func newJoin(out *latest.Map[translate.Key, sitestatus.Status], routes xds.Type, log *zap.Logger) *join {
	return &join{
		routes: routes, log: log, idle: make(map[uint64]*idle), leaving: make(map[*site]time.Time),
		out: out, sites: index.New(func(s *site) translate.Key { return s.key }), open: make(map[*site]*extent),
		proxies: make(map[uint64]xds.StreamState), held: make(map[uint64]int), floor: math.MaxUint64,
		digests:    maphash.MakeSeed(),
		exceptions: make(map[xds.ResourceName]map[uint64]exception),
		views:      make(map[*holdings.View]struct{}),

		figures: newFigures(),
	}
}

// judge takes new verdicts, and which resources were published with them in
// which snapshot. Arrived is when the change came that led to them.
func (j *join) judge(verdicts []translate.Verdict, changed []xds.Change, invalid map[xds.ResourceName]error, snap *xds.Snapshot, arrived time.Time) {
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
			if sent && s.arrived.IsZero() && len(j.proxies) > 0 {
				s.arrived = arrived
			}
			j.waiting = append(j.waiting, waiter{s, s.seq})
		}
		j.identify(s, versionOf(s, snap))
		j.unsay(s)
		j.settle(s)
		j.put(s, false)
		j.fresh = append(j.fresh, s)
	}
	j.advance()
}

// identify notes what a site is now.
func (j *join) identify(s *site, version holdings.SiteVersion) {
	if version == s.version {
		return
	}
	j.tellGone(s)
	j.unindex(s)
	s.heir = s.heir && (s.version == 0 || j.following)
	s.version, s.settled = version, false
	j.index(s)
	j.reopen(s)
	j.tell(s)
}

// reopen notes that a site is not settled, if it is ours to say so.
func (j *join) reopen(s *site) {
	if s.version == 0 || j.following {
		delete(j.open, s)
	} else {
		j.open[s], s.opened = nil, j.ticks
	}
}

// observe takes what streams acknowledged, refused, or that they ended.
func (j *join) observe(states map[uint64]xds.StreamState, now time.Time) {
	j.stirred, j.now = true, now
	touched, had := make(map[*site]bool), len(j.proxies)
	for id, state := range states {
		old, was := j.proxies[id]
		if was {
			j.count(old, -1)
		}
		if j.attend(id, state, now) {
			j.proxies[id] = state
			j.count(state, +1)
		} else {
			delete(j.proxies, id)
			state.Exceptions = nil
		}
		j.except(id, old, state, touched)
	}
	j.floor = math.MaxUint64
	for seq := range j.held { // A few: proxies keep up, or stand still.
		j.floor = min(j.floor, seq)
	}
	j.tellProxies()
	j.advance()
	if len(j.exceptions) == 0 {
		j.users = nil
	}
	if had > 0 && len(j.proxies) == 0 {
		j.abandon()
		j.reconsider() // The proxies of others may hold what ours did not.
	}
	for s := range touched {
		j.settle(s)
		j.put(s, false)
		j.tell(s)
	}
	j.countAll(now)
	j.countProxies(len(j.proxies), len(j.idle))
}

// count adds a proxy to those that hold what it holds, or takes it away.
func (j *join) count(p xds.StreamState, n int) {
	seq := holds(p)
	if j.held[seq] += n; j.held[seq] == 0 {
		delete(j.held, seq)
	}
}

// holds returns the snapshot that a proxy has acknowledged in all types that
// make up a site. Endpoints are not among them: a pod that moves is no news.
func holds(p xds.StreamState) uint64 {
	floor := uint64(math.MaxUint64)
	for t, state := range p.Types {
		if state.Active && xds.Type(t) != xds.Endpoint {
			floor = min(floor, state.Acked)
		}
	}
	return floor
}

// except replaces the exceptions of a stream and notes whose they are.
func (j *join) except(id uint64, old, new xds.StreamState, touched map[*site]bool) {
	for name := range old.Exceptions {
		if _, still := new.Exceptions[name]; !still {
			delete(j.exceptions[name], id)
			if len(j.exceptions[name]) == 0 {
				delete(j.exceptions, name)
			}
			j.touch(name, 0, touched)
		}
	}
	if len(new.Exceptions) > 0 && j.users == nil {
		j.users = usersOf(j.sites)
	}
	for name, e := range new.Exceptions {
		was, known := j.exceptions[name][id]
		if known && was.Exception == e { // It is about more sites if more is acknowledged.
			if before := old.Types[name.Type].Acked; before != new.Types[name.Type].Acked {
				j.touch(name, before, touched)
			}
			continue
		}
		if j.exceptions[name] == nil {
			j.exceptions[name] = make(map[uint64]exception)
		}
		since := old.Types[name.Type].Acked
		if known {
			since = was.since
		}
		j.exceptions[name][id] = exception{e, since}
		j.touch(name, 0, touched)
	}
}

// touch notes whose a resource is, of the sites that changed after a snapshot.
func (j *join) touch(name xds.ResourceName, after uint64, touched map[*site]bool) {
	for _, s := range j.users[name] {
		if s.seq > after {
			touched[s] = true
		}
	}
}

// advance looks at the sites whose snapshot every proxy here has acknowledged.
func (j *join) advance() {
	if len(j.proxies) == 0 {
		return
	}
	var kept []waiter // whose resources are being tried again after a refusal
	for len(j.waiting) > 0 && j.waiting[0].seq <= j.floor {
		w := j.waiting[0]
		j.waiting[0] = waiter{}
		j.waiting = j.waiting[1:]
		if w.site.seq != w.seq {
			continue
		}
		j.settle(w.site)
		j.put(w.site, false)
		if !w.site.held {
			kept = append(kept, w)
		}
	}
	if len(kept) > 0 {
		j.waiting = append(kept, j.waiting...)
	}
}

// settle notes whether every proxy holds the site: those of this replica, and, if
// it speaks for the site, all. Once settled it stays so when a proxy connects that
// is still catching up: a True would otherwise be rewritten in every site whenever
// a proxy comes or goes.
func (j *join) settle(s *site) {
	if !s.held && len(j.proxies) > 0 && s.seq <= j.floor {
		if refused, trying, _ := j.excepted(s); trying == 0 {
			s.held = true
			j.measure(s, refused)
			j.tell(s)
		}
	}
	if !s.settled && s.version != 0 && j.heldByAll(s) {
		s.settled, s.heir = true, false
		delete(j.open, s)
	}
}

// progress puts out how far the unsettled sites are, those that it has found so
// before. A site that is acknowledged in the meantime gets one status, not two.
func (j *join) progress(now time.Time) {
	j.ticks++
	j.desert(now)
	j.excuseAll(now)
	kept := j.waiting[:0]
	for _, w := range j.waiting {
		if w.site.seq == w.seq && !w.site.held {
			kept = append(kept, w)
		}
	}
	clear(j.waiting[len(kept):])
	j.waiting = kept
	news := maps.Keys(j.open)
	if !j.stirred {
		news = slices.Values(j.fresh)
	}
	if j.stirred || len(j.fresh) > 0 {
		j.stirred, j.fresh = false, nil
		for s := range news {
			j.report(s)
		}
		j.tellProgress()
	}
	j.countAll(now)
	if !j.orphaned && !j.lonely.IsZero() && now.Sub(j.lonely) > proxiesGrace {
		j.orphan()
	}
}

// report puts out how far a site is, once it has been open for a while, and if that
// is not said: a proxy that stands still may hold up many, while others answer all
// the time.
func (j *join) report(s *site) {
	said, open := j.open[s]
	if !open {
		return
	}
	if j.ticks-s.opened < 2 {
		j.fresh = append(j.fresh, s)
		return
	}
	now := j.extentOf(s)
	if said != nil && *said == now {
		return
	}
	j.put(s, true)
	kept := now // Only what is kept is allocated.
	j.open[s] = &kept
}

// unsay notes that something else was said of a site than how far it is, or is to be.
func (j *join) unsay(s *site) {
	if j.open[s] != nil {
		j.open[s] = nil
	}
}

// proxiesGrace is how long no proxy may serve before sites that were programmed are
// said not to be: this program's own restart is shorter. It is also how long a
// connected proxy may take to serve before it is named.
const proxiesGrace = 10 * time.Second

// countAll notes since when no proxy serves, as far as it is ours to say.
func (j *join) countAll(now time.Time) {
	switch {
	case j.following || j.lost() || j.total() > 0 || j.any(holdings.Silent):
		j.lonely, j.orphaned = time.Time{}, false
	case j.lonely.IsZero():
		j.lonely = now
	}
}

// orphan unsettles every site: no proxy serves.
func (j *join) orphan() {
	j.orphaned = true
	j.waiting = nil
	for s := range j.sites.All() {
		s.held, s.settled, s.heir = false, false, false
		j.waiting = append(j.waiting, waiter{s, s.seq})
		j.reopen(s)
		j.put(s, true)
		j.tell(s)
	}
	slices.SortFunc(j.waiting, func(a, b waiter) int { return cmp.Compare(a.seq, b.seq) })
}

// put hands out a site's status if it is decided, or if the undecided is wanted
// too, and it differs from what was handed out last. Of a site for which another
// replica speaks everything is handed out: nobody writes it, and it is there if
// this one has to.
func (j *join) put(s *site, undecided bool) {
	if s.gone {
		if s.held || len(j.proxies) == 0 {
			j.forget(s)
		}
		return
	}
	accepted := s.acceptance()
	p := j.programmed(s, accepted)
	if p.Status == unknown && !undecided && !j.following {
		return
	}
	status := s.status(accepted, p)
	sum := digest(&status, j.digests)
	if sum == s.sent {
		return
	}
	s.sent = sum
	j.unsay(s)
	j.out.Put(s.key, status)
}

// abandon ends what waits for our proxies, of which none is left: measurements, and
// sites that were deleted.
func (j *join) abandon() {
	for _, w := range j.waiting {
		w.site.arrived = time.Time{}
		if w.site.gone {
			j.forget(w.site)
		}
	}
}

// forget ends a site that was deleted, unless it exists again.
func (j *join) forget(s *site) {
	if j.sites.Get(s.key) == s {
		j.sites.Delete(s.key)
		j.out.Put(s.key, sitestatus.Status{Site: s.key, Gone: true, Proxies: len(j.proxies)})
	}
}

func anyOf(set map[xds.ResourceName]bool, names []xds.ResourceName) bool {
	return slices.ContainsFunc(names, func(n xds.ResourceName) bool { return set[n] })
}
