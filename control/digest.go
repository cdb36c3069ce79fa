package control

import (
	"hash/maphash"

	"my-company.com/staticsite-operator/sitestatus"
)

// digest is equal for equal statuses, Proxies aside, and practically only for
// them. It is kept for each site instead of the status.
func digest(s *sitestatus.Status, seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	maphash.WriteComparable(&h, s.Generation)
	maphash.WriteComparable(&h, s.Standing != nil)
	for _, text := range append([]string{s.UID, s.Phase, s.Message}, s.Domains...) {
		maphash.WriteComparable(&h, text)
	}
	for _, c := range s.Conditions {
		maphash.WriteComparable(&h, c)
	}
	return h.Sum64()
}
