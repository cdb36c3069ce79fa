package fleet

import (
	"my-company.com/staticsite-operator/holdings"
)

// replica is one of the other replicas.
type replica struct {
	state   holdings.ReplicaState
	build   string
	proxies int    // connected to it, that serve; of a silent one as it said last
	why     string // a connected one does not serve

	// What its proxies hold: of the versions in settled everything, of those in
	// except what is said, of any other nothing.
	//
	// Invariant: no version is in both.
	settled map[holdings.SiteVersion]struct{}
	except  map[holdings.SiteVersion]holdings.Holding
}

// take notes what the replica says of one version.
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

// forget voids all that the replica said of versions.
func (r *replica) forget() {
	r.settled, r.except = make(map[holdings.SiteVersion]struct{}), make(map[holdings.SiteVersion]holdings.Holding)
}

// connected is how many proxies the replica serves, as far as that is known now.
func (r *replica) connected() int {
	if r.state != holdings.Heard {
		return 0
	}
	return r.proxies
}

// holds reports whether every proxy of the replica has the site, or had it.
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

// behind reports whether the replica's proxies cannot hold a site, because the
// replica does not serve it in this version.
func (r *replica) behind(version holdings.SiteVersion) bool {
	_, settled := r.settled[version]
	_, excepted := r.except[version]
	return r.connected() > 0 && !settled && !excepted
}
