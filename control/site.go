package control

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
	"unique"

	"my-company.com/staticsite-operator/control/decide"
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// site is what is known of one StaticSite.
//
// There may be hundreds of thousands, so what nearly all of them say alike is kept
// once, and the order of the fields leaves no gaps.
type site struct {
	verdict
	resources []xds.ResourceName
	invalid   error // one of resources was withheld

	// The site waits for snapshot seq, in which one of its resources changed last, and
	// is version there. Version is zero while the site is not sent.
	//
	// Invariant: while held is false the site is in join.waiting with this seq, unless
	// it was never published. A new seq makes held false; a new version makes settled
	// false. Settled implies that version is not zero and that this replica leads.
	// While this replica leads, a site is in join.open exactly if it has a version and
	// is not settled.
	seq     uint64
	version holdings.SiteVersion

	arrived time.Time // of the oldest change that is not held; zero if there is none, or nobody could have held it
	sent    uint64    // digest of the status that was put last
	opened  int32     // join.ticks when it became open
	told    int32     // by how many proxies it is acknowledged, as every view was told last; -1: not said of seq yet
	held    bool      // seq was acknowledged by every proxy that was connected to this replica
	settled bool      // version was, by every proxy of every replica
	heir    bool      // it is what it was when this replica began to speak for it, and not settled since
	gone    bool      // the object does not exist any more

	deserted bool // there is no endpoint, and that may be said (see endpoints.go)
	marked   mark // what the flush of this turn has to do; zero: not in join.dirty
}

// verdict is what is kept of a translate.Verdict.
type verdict struct {
	key                object.Key
	uid                string
	generation         int64
	holds              []string
	accepted, resolved unique.Handle[translate.Condition]
	endpoints          translate.Endpoints
}

func verdictOf(v translate.Verdict) verdict {
	return verdict{v.Site, v.UID, v.Generation, v.Holds, unique.Make(v.Accepted), unique.Make(v.ResolvedRefs), v.Endpoints}
}

// known is what a decision about the site needs of it.
func (s *site) known() decide.Site {
	withheld := ""
	if s.invalid != nil {
		withheld = xds.Words(s.invalid.Error())
	}
	return decide.Site{
		Key: s.key, UID: s.uid, Generation: s.generation, Domains: s.holds,
		Accepted: s.accepted.Value(), ResolvedRefs: s.resolved.Value(), Withheld: withheld,
		Endpoints: s.endpoints, Deserted: s.deserted, Settled: s.settled, Heir: s.heir,
	}
}

// namesOf returns the xDS names of a verdict's resources.
func namesOf(resources []translate.ResourceName) []xds.ResourceName {
	names := make([]xds.ResourceName, 0, len(resources))
	for _, r := range resources {
		if t, ok := xds.TypeByURL(r.Type); ok {
			names = append(names, xds.ResourceName{Type: t, Name: r.Name})
		}
	}
	return names
}

// versionOf returns what a site is in a snapshot. It depends on the object, its
// generation and the content of its resources, and on nothing else: a Service
// that appears, say, changes a condition but no route.
//
// Of the table that all sites share (layout single) only the name is part of it:
// its content changes with every site, and what it says of this one is decided by
// the generation.
func versionOf(s *site, snap *xds.Snapshot) holdings.SiteVersion {
	if s.gone || !s.accepted.Value().OK || s.invalid != nil || len(s.resources) == 0 {
		return 0
	}
	text := make([]byte, 0, 256)
	add := func(part string) {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	add(s.key.Namespace)
	add(s.key.Name)
	add(s.uid)
	text = binary.AppendVarint(text, s.generation)
	for _, r := range s.resources {
		text = append(text, byte(r.Type))
		add(r.Name)
		if r.Type != xds.Route {
			add(snap.VersionOf(r))
		}
	}
	sum := sha256.Sum256(text) // and not a quicker one: tenants choose names
	return max(1, holdings.SiteVersion(binary.LittleEndian.Uint64(sum[:])))
}
