package control

import (
	"context"

	"my-company.com/staticsite-operator/holdings"
)

// View returns what the proxies of this replica hold of each site. It is kept up to
// date until ctx ends.
func (l *Loop) View(ctx context.Context) (*holdings.View, error) {
	v := holdings.NewView(l.ended)
	if err := l.call(ctx, func() { l.join.show(v) }); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { l.call(context.Background(), func() { delete(l.join.views, v) }) })
	return v, nil
}

// show gives a new view everything.
func (j *join) show(v *holdings.View) {
	j.views[v] = struct{}{}
	all := make(map[holdings.SiteVersion]holdings.Holding, j.sites.Len())
	for s := range j.sites.All() {
		if s.version != 0 {
			all[s.version] = j.holding(s)
			s.told = -1
		}
	}
	v.PutProxies(j.proxies())
	v.PutAll(all)
}

// proxies are those of this replica.
func (j *join) proxies() holdings.Proxies {
	return holdings.Proxies{Serving: j.ours.Serving(), Why: j.why}
}

// tell gives every view what our proxies hold of a site.
func (j *join) tell(s *site) {
	if len(j.views) == 0 || s.version == 0 {
		return
	}
	h := j.holding(s)
	s.told = int32(h.Acknowledged)
	for v := range j.views {
		v.Put(s.version, h)
	}
}

// tellGone tells every view that a site is no more what it was.
func (j *join) tellGone(s *site) {
	if s.version == 0 {
		return
	}
	for v := range j.views {
		v.Put(s.version, holdings.Holding{Gone: true})
	}
}

// tellProxies tells every view which proxies there are.
func (j *join) tellProxies() {
	now := j.proxies()
	for v := range j.views {
		v.PutProxies(now)
	}
}

// markProgress has every view told how far the sites are that wait, if another
// number of proxies has them: one that stands still may hold up many for long,
// while others answer all the time.
func (j *join) markProgress() {
	if len(j.views) == 0 {
		return
	}
	for _, w := range j.waiting {
		if int32(j.count(w.site).Acknowledged) != w.site.told {
			j.mark(w.site, tell)
		}
	}
}
