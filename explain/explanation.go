package explain

// Explanation is the answer. Its JSON field names are stable: fields are added,
// and neither renamed nor removed.
type Explanation struct {
	Asked   string `json:"asked"`            // as it was written
	Domain  string `json:"domain,omitempty"` // in normal form
	Path    string `json:"path"`
	Served  bool   `json:"served"`  // every serving proxy acknowledged it, and there is somebody to answer
	Verdict string `json:"verdict"` // one sentence
	Reason  string `json:"reason"`  // why Next is the next thing: a condition's reason, or one of the package's own
	Next    string `json:"next"`    // the one next thing to do
	Example string `json:"example,omitempty"`

	Source     string      `json:"source"`         // where the objects are
	Site       string      `json:"site,omitempty"` // NAMESPACE/NAME: the one that is explained
	Holder     string      `json:"holder,omitempty"`
	Claims     []Claim     `json:"claims,omitempty"`     // on the domain: the holder's first, then those who wait, in order
	Conditions []Condition `json:"conditions,omitempty"` // of the site
	Route      *Route      `json:"route,omitempty"`
	Cluster    *Cluster    `json:"cluster,omitempty"`
	Endpoints  []Endpoint  `json:"endpoints,omitempty"`
	Servers    []Server    `json:"servers,omitempty"`
	Proxies    []ProxyFact `json:"proxies,omitempty"`
	Nearest    []string    `json:"nearest,omitempty"` // domains and sites that could have been meant
	Notes      []string    `json:"notes,omitempty"`
}

// Claim is a site's claim on the domain.
type Claim struct {
	Site  string `json:"site"` // NAMESPACE/NAME
	Holds bool   `json:"holds"`
	Why   string `json:"why"` // it holds the domain, or does not
}

// Condition is one condition of the site.
type Condition struct {
	From    string `json:"from"` // status: as the object says; objects, proxies: as they are now
	Type    string `json:"type"`
	Status  string `json:"status"` // True, False or Unknown
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// ProxyFact is how far one proxy is with what the site needs.
type ProxyFact struct {
	Server  string `json:"server"`
	Node    string `json:"node"`
	Address string `json:"address"`
	State   State  `json:"state"` // of the resource that is least far
	// Resource is the one that is least far, and Error the proxy's words about it.
	Resource string `json:"resource,omitempty"`
	Error    string `json:"error,omitempty"`
}
