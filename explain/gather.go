package explain

import (
	"slices"

	"my-company.com/staticsite-operator/object"
)

// The methods below say to whoever gathers facts what to look for next, from the
// facts so far.

// Domain returns the domain to ask servers about, in normal form; empty if none
// is known.
func (f Facts) Domain() string {
	if f.Target.Domain != "" {
		return f.Target.Domain // without translating a whole folder
	}
	return begin(f).out.Domain
}

// Service returns the Service of the site that will be explained, if there is one.
func (f Facts) Service() (object.Key, bool) {
	x := begin(f)
	site, ok := x.Objects[object.Ref{Kind: object.KindSite, Key: x.site}].(*object.Site)
	if !ok {
		return object.Key{}, false
	}
	return object.Key{Namespace: site.Namespace, Name: site.Service}, true
}

// Clusters returns the names of the clusters that a request would go to: as
// proxies have it, and as the objects say.
func (f Facts) Clusters() []string {
	x := begin(f)
	var names []string
	for _, r := range []*Route{x.out.Route, x.expected} {
		if r != nil && r.Cluster != "" && !slices.Contains(names, r.Cluster) {
			names = append(names, r.Cluster)
		}
	}
	return names
}
