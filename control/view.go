package control

import (
	"context"
	"sync/atomic"

	"my-company.com/staticsite-operator/latest"
)

// A View is what the proxies of this replica hold of each site: everything at
// first, then what changes. A slow reader misses what was replaced meanwhile, and
// nothing piles up.
type View struct {
	sites   *latest.Map[SiteVersion, Holding]
	proxies atomic.Pointer[Proxies]
	ended   <-chan struct{}
}

// Proxies are those of a replica.
type Proxies struct {
	Serving int
	Why     string // one that is connected does not serve, if none does
}

// Ready yields a token when Take may have something new.
func (v *View) Ready() <-chan struct{} { return v.sites.Ready() }

// Take returns what has changed, and which proxies there are.
func (v *View) Take() (map[SiteVersion]Holding, Proxies) {
	proxies := v.proxies.Load()
	return v.sites.Take(), *proxies
}

// Ended is closed when nothing will change any more, because the loop has ended.
func (v *View) Ended() <-chan struct{} { return v.ended }

// View returns a view that is kept up to date until ctx ends.
func (l *Loop) View(ctx context.Context) (*View, error) {
	v := &View{sites: latest.New[SiteVersion, Holding](), ended: l.ended}
	if err := l.call(ctx, func() { l.join.show(v) }); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { l.call(context.Background(), func() { delete(l.join.views, v) }) })
	return v, nil
}

// show gives a new view everything.
func (j *join) show(v *View) {
	j.views[v] = struct{}{}
	all := make(map[SiteVersion]Holding, j.sites.Len())
	for s := range j.sites.All() {
		if s.version != 0 {
			all[s.version] = j.holding(s)
			s.told = -1
		}
	}
	v.proxies.Store(&Proxies{len(j.proxies), j.why})
	v.sites.PutAll(all)
}

// tell gives every view what our proxies hold of a site.
func (j *join) tell(s *site) {
	if len(j.views) == 0 || s.version == 0 {
		return
	}
	h := j.holding(s)
	s.told = int32(h.Acknowledged)
	for v := range j.views {
		v.sites.Put(s.version, h)
	}
}

// tellProgress tells every view how far the sites are that wait, if another
// number of proxies has them: one that stands still may hold up many for long,
// while others answer all the time.
func (j *join) tellProgress() {
	if len(j.views) == 0 {
		return
	}
	for _, w := range j.waiting {
		if int32(j.holding(w.site).Acknowledged) != w.site.told {
			j.tell(w.site)
		}
	}
}

// tellGone tells every view that a site is no more what it was.
func (j *join) tellGone(s *site) {
	if s.version == 0 {
		return
	}
	for v := range j.views {
		v.sites.Put(s.version, Holding{Gone: true})
	}
}

// tellProxies tells every view which proxies there are.
func (j *join) tellProxies() {
	now := Proxies{len(j.proxies), j.why}
	for v := range j.views {
		if *v.proxies.Swap(&now) != now {
			v.sites.PutAll(nil)
		}
	}
}
