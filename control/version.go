package control

import (
	"crypto/sha256"
	"encoding/binary"

	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/xds"
)

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
