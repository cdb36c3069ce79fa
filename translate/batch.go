package translate

import (
	"cmp"
	"slices"
	"strings"

	"my-company.com/staticsite-operator/translate/claims"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/envoy/listener"
	"my-company.com/staticsite-operator/translate/spec"
)

// A batch is one Apply under way: what its changes have marked for the steps
// still to come, and what it will return. Marks are sets, so that the order of
// changes cannot matter.
type batch struct {
	w *World

	domains   map[string]*claims.Domain[*site, scope] // that were decided again
	endpoints map[*backend]struct{}                   // to check again
	clusters  map[*cluster]struct{}                   // to build again
	sites     map[*site]struct{}                      // to judge again
	touched   map[*site]struct{}                      // whose resources changed: reported even when judged as before
	backends  map[*backend]struct{}                   // that may be of no more use
	rendered  map[*spec.Spec]envoy.Message            // of the valid ones that changed, already checked
	table     bool                                    // a virtual host of layout single changed

	resources []Resource
	verdicts  []Verdict
	problems  []claims.Problem
}

func newBatch(w *World) *batch {
	return &batch{
		w:         w,
		endpoints: make(map[*backend]struct{}),
		clusters:  make(map[*cluster]struct{}),
		sites:     make(map[*site]struct{}),
		touched:   make(map[*site]struct{}),
		backends:  make(map[*backend]struct{}),
		rendered:  make(map[*spec.Spec]envoy.Message),
	}
}

// upsert hands out a resource, new or changed.
func (b *batch) upsert(r Resource) { b.resources = append(b.resources, r) }

// remove takes a resource back.
func (b *batch) remove(typ, name string) {
	b.resources = append(b.resources, Resource{Type: typ, Name: name})
}

// buildShared hands out the resources that no single site owns.
func (b *batch) buildShared() {
	if !b.w.begun {
		b.upsert(Resource{Type: envoy.ListenerType, Name: envoy.ListenerName, Message: listener.Render(b.w.opts)})
	}
	if b.w.opts.Routes == envoy.RoutesSingle && (b.table || !b.w.begun) {
		b.upsert(Resource{Type: envoy.TableType, Name: envoy.TableName, Message: envoy.Table(b.w.table), Needs: b.tableNeeds()})
	}
	b.w.begun = true
}

// decide has the claims that changed decided, and marks whom that concerns.
func (b *batch) decide() {
	decided := b.w.claims.Decide()
	b.domains = decided.Domains
	for s := range decided.Sites {
		b.sites[s] = struct{}{}
	}
}

// forget drops what nothing refers to any more.
func (b *batch) forget() {
	for be := range b.backends {
		if be.Empty() && len(be.sites) == 0 && len(be.clusters) == 0 {
			b.w.backends.Delete(be.Key)
		}
	}
}

// typeOrder is the order of types in a Delta: make before break.
var typeOrder = map[string]int{
	envoy.ClusterType:    0,
	envoy.AssignmentType: 1,
	envoy.ListenerType:   2,
	envoy.ScopeType:      3,
	envoy.TableType:      4,
}

// delta returns the result, sorted: changes were taken from a map.
func (b *batch) delta() Delta {
	slices.SortFunc(b.resources, func(x, y Resource) int {
		return cmp.Or(cmp.Compare(typeOrder[x.Type], typeOrder[y.Type]), strings.Compare(x.Name, y.Name))
	})
	slices.SortFunc(b.verdicts, func(x, y Verdict) int { return x.Site.Compare(y.Site) })
	slices.SortStableFunc(b.problems, func(x, y claims.Problem) int { return x.Policy.Compare(y.Policy) })
	return Delta{Resources: b.resources, Verdicts: b.verdicts, Problems: b.problems}
}
