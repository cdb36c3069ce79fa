package holdings

// SiteVersion identifies what a site is to be served as: equal on every replica
// of one build that has seen the same, different for every other site, object,
// generation or content. Zero stands for a site that is not sent.
type SiteVersion uint64

// Holding is what the proxies of one replica hold of a site.
type Holding struct {
	Gone         bool   // the replica has no such site any more; the other fields are empty
	Settled      bool   // every proxy that was connected has acknowledged it
	Acknowledged int    // proxies that have
	Refused      int    // proxies that refuse it
	Trying       int    // proxies that are asked again after a refusal
	Words        string // of one that refuses it
}

// All reports whether every proxy has the site, and none was in doubt since.
func (h Holding) All() bool { return h.Settled && h.Refused == 0 && h.Trying == 0 }
