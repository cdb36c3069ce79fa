package holdings

import (
	"sync/atomic"

	"my-company.com/staticsite-operator/latest"
)

// Proxies are those of a replica.
type Proxies struct {
	Serving int
	Why     string // one that is connected does not serve, if none does
}

// A View is what the proxies of this replica hold of each site: everything at
// first, then what changes. A slow reader misses what was replaced meanwhile, and
// nothing piles up.
type View struct {
	sites   *latest.Map[SiteVersion, Holding]
	proxies atomic.Pointer[Proxies]
	ended   <-chan struct{}
}

// NewView returns a view of nothing yet. Ended is closed when nothing will change any
// more.
func NewView(ended <-chan struct{}) *View {
	v := &View{sites: latest.New[SiteVersion, Holding](), ended: ended}
	v.proxies.Store(&Proxies{})
	return v
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

// Put takes what our proxies hold of a site.
func (v *View) Put(site SiteVersion, h Holding) { v.sites.Put(site, h) }

// PutAll takes what they hold of many sites, or of none, which is news at first.
func (v *View) PutAll(sites map[SiteVersion]Holding) { v.sites.PutAll(sites) }

// PutProxies takes which proxies there are.
func (v *View) PutProxies(now Proxies) {
	if *v.proxies.Swap(&now) != now {
		v.sites.PutAll(nil)
	}
}
