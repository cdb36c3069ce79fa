package control

import (
	"context"

	"my-company.com/staticsite-operator/holdings"
)

// View returns a view that is kept up to date until ctx ends.
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
	v.PutProxies(j.present())
	v.PutAll(all)
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
		v.Put(s.version, holdings.Holding{Gone: true})
	}
}

// tellProxies tells every view which proxies there are.
func (j *join) tellProxies() {
	for v := range j.views {
		v.PutProxies(j.present())
	}
}

// present are the proxies that there are.
func (j *join) present() holdings.Proxies {
	return holdings.Proxies{Serving: len(j.proxies), Why: j.why}
}
