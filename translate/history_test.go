package translate_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// A history is a random sequence of changes to a small world: few names, so that
// they collide, and mistakes of every kind.
type history struct {
	*rand.Rand
	objects map[Ref]Object // as of now
	good    map[Ref]Object // the last valid form of each site and policy that exists
}

func newHistory(seed uint64) *history {
	return &history{rand.New(rand.NewPCG(seed, 0)), make(map[Ref]Object), make(map[Ref]Object)}
}

// step changes some objects, now and in the returned changes.
func (h *history) step() map[Ref]Object {
	changes := make(map[Ref]Object)
	for range 1 + h.IntN(4) {
		o := h.object()
		changes[o.Ref()] = o
		if h.IntN(4) == 0 {
			changes[o.Ref()] = nil
		}
	}
	h.take(changes)
	return changes
}

// take makes changes part of what is.
func (h *history) take(changes map[Ref]Object) {
	for ref, o := range changes {
		if o == nil {
			delete(h.objects, ref)
			delete(h.good, ref)
			continue
		}
		h.objects[ref] = o
		if valid(o) {
			h.good[ref] = o
		}
	}
}

func (h *history) object() Object {
	switch h.IntN(16) {
	case 0, 1:
		return h.policy()
	case 2:
		return h.namespace()
	case 3, 4, 5, 6:
		return h.service()
	case 7, 8, 9, 10:
		return h.slice()
	case 11:
		return &Kept{Cluster: fmt.Sprintf("%s_%s_%d_cluster", pick(h, namespaces), pick(h, services), 80+h.IntN(3))}
	}
	return h.site()
}

var (
	namespaces = []string{"docs", "guides"}
	services   = []string{"web", "1api"}
	domains    = []string{"a.example.com", "b.example.com", "c.example.com"}
	teams      = []string{"red", "blue"}
	matches    = []DomainMatch{{Exact: "a.example.com"}, {Exact: "B.Example.com."}, {Suffix: "b.example.com"}, {Suffix: "Example.com."}, {Suffix: "com"}, {Suffix: "ample.com"}}
	mistakes   = []string{"", "bad_domain.example.com", "a.example.com:80", "127.0.0.1"}
	protocols  = []string{"", "", "", "kubernetes.io/h2c", "https", "example.com/own"}
	addresses  = []string{"10.0.0.1", "10.0.0.2", "2001:db8::1", "127.0.0.1", "169.254.169.254", "nonsense"}
)

func pick[T any](h *history, list []T) T { return list[h.IntN(len(list))] }

func (h *history) key(names ...string) Key {
	return Key{Namespace: pick(h, namespaces), Name: pick(h, names)}
}

// features are what the sites of a history may ask for: the second renders as the first
// does, and the last is not valid.
var features = []*v1alpha1.SiteFeatures{
	{ResponseHeaders: &v1alpha1.HeaderChanges{Set: []v1alpha1.Header{{Name: "x-a", Value: "a"}}}},
	{ResponseHeaders: &v1alpha1.HeaderChanges{Set: []v1alpha1.Header{{Name: "X-A", Value: "a"}}}},
	{ResponseHeaders: &v1alpha1.HeaderChanges{Add: []v1alpha1.Header{{Name: "X-A", Value: "a"}}, Remove: []v1alpha1.HeaderName{"Server"}}},
	wrongFeatures,
}

var wrongFeatures = &v1alpha1.SiteFeatures{ResponseHeaders: &v1alpha1.HeaderChanges{Remove: []v1alpha1.HeaderName{"Host"}}}

func (h *history) site() *Site {
	s := &Site{
		Key: h.key("one", "two", "three"), Generation: h.Int64N(100), Created: h.created(),
		Domain: pick(h, domains), Service: pick(h, services), Port: int32(80 + h.IntN(3)),
	}
	for _, d := range domains {
		if h.IntN(4) == 0 {
			s.Held = append(s.Held, d)
		}
	}
	if h.IntN(3) == 0 {
		s.Features = pick(h, features)
	}
	switch h.IntN(8) {
	case 0:
		s.Domain = pick(h, mistakes)
	case 1:
		s.Service = "Bad_Service"
	case 2:
		s.Domain = strings.ToUpper(s.Domain) + "."
	}
	return s
}

func (h *history) created() time.Time {
	if h.IntN(3) == 0 {
		return time.Time{}
	}
	return time.Unix(int64(h.IntN(3)), 0)
}

func (h *history) service() *Service {
	s := &Service{Key: h.key(services...), IPv6: h.IntN(3) == 0, Headless: h.IntN(3) == 0}
	if h.IntN(6) == 0 {
		s.Type = "ExternalName"
	}
	for i := range h.IntN(3) {
		s.Ports = append(s.Ports, ServicePort{
			Name: fmt.Sprint("p", i), Port: int32(80 + i), Protocol: pick(h, []string{"", "TCP", "TCP", "UDP"}),
			AppProtocol: pick(h, protocols), Target: pick(h, []int32{0, 8080, 8081, 70_000}), NamedTarget: h.IntN(4) == 0,
		})
	}
	return s
}

func (h *history) slice() *Slice {
	s := &Slice{Key: h.key("s1", "s2", "s3"), Service: pick(h, services), AddressType: pick(h, []string{"IPv4", "IPv6", "IPv4", "FQDN"})}
	for i := range h.IntN(3) {
		s.Ports = append(s.Ports, SlicePort{Name: fmt.Sprint("p", i), Port: pick(h, []int32{0, 8080, 8081}), Protocol: "TCP", AppProtocol: pick(h, protocols)})
	}
	for range h.IntN(4) {
		s.Endpoints = append(s.Endpoints, Endpoint{Address: pick(h, addresses), Ready: h.IntN(3) > 0, Draining: h.IntN(2) == 0, Zone: pick(h, []string{"", "a", "b"})})
	}
	return s
}

func (h *history) namespace() *Namespace {
	n := &Namespace{Key: Key{Name: pick(h, namespaces)}}
	if h.IntN(4) > 0 {
		n.Labels = map[string]string{"team": pick(h, teams)}
	}
	return n
}

func (h *history) policy() *Policy {
	p := h.soundPolicy()
	switch h.IntN(12) {
	case 0:
		p.Mode = "Forbid"
	case 1:
		p.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Like"}}
	case 2:
		p.Domains = append(p.Domains, DomainMatch{Suffix: "*.example.com"})
	}
	return p
}

// soundPolicy returns a policy without mistakes.
func (h *history) soundPolicy() *Policy {
	p := &Policy{Key: Key{Name: pick(h, []string{"p", "q"})}, Mode: pick(h, []string{"Permit", "Reserve"})}
	switch h.IntN(4) {
	case 0:
		p.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "team", Operator: "NotIn", Values: []string{pick(h, teams)}}}
	case 1:
		p.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "team", Operator: "In", Values: teams}}
	case 2:
		p.Selector.MatchLabels = map[string]string{"kubernetes.io/metadata.name": pick(h, namespaces)}
	case 3:
		p.Selector.MatchLabels = map[string]string{"team": pick(h, teams)}
	}
	for range 1 + h.IntN(2) {
		p.Domains = append(p.Domains, pick(h, matches))
	}
	return p
}

// valid says whether an object of a history has no mistake in it.
func valid(o Object) bool {
	switch o := o.(type) {
	case *Site:
		return o.Features != wrongFeatures && o.Service != "Bad_Service" && !slices.Contains(mistakes, o.Domain)
	case *Policy:
		wrong := func(r metav1.LabelSelectorRequirement) bool { return r.Operator == "Like" }
		return o.Mode != "Forbid" && !slices.Contains(o.Domains, DomainMatch{Suffix: "*.example.com"}) &&
			!slices.ContainsFunc(o.Selector.MatchExpressions, wrong)
	}
	return true
}

// fresh translates everything at once in a new World. The one thing that it has
// to be told of the past is the last valid form of what is invalid now.
func (h *history) fresh(t *testing.T, opts Options) *state {
	t.Helper()
	w, s := NewWorld(opts), newState()
	before := make(map[Ref]Object)
	for ref, good := range h.good {
		if !valid(h.objects[ref]) {
			before[ref] = good
		}
	}
	if len(before) > 0 {
		s.mustApply(t, w, before)
	}
	s.mustApply(t, w, maps.Clone(h.objects))
	return s
}

// What changes add up to is what the objects are, whatever the way there.
func TestApplyingChangesEqualsTranslatingEverything(t *testing.T) {
	for i, opts := range combinations {
		opts.AllowedEndpoints = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		t.Run(fmt.Sprintf("%s-%s", opts.Routes, opts.Upstreams), func(t *testing.T) {
			for seed := range uint64(500) {
				h := newHistory(seed<<2 + uint64(i))
				w, s := NewWorld(opts), newState()
				for step := range 20 {
					d := w.Apply(h.step())
					if err := s.apply(d); err != nil {
						t.Fatalf("seed %d, step %d: %v", seed, step, err)
					}
					validateAll(t, d)
					if err := checkServed(s, h, opts); err != nil {
						t.Fatalf("seed %d, step %d: %v", seed, step, err)
					}
				}
				if diff := s.difference(h.fresh(t, opts)); diff != "" {
					t.Fatalf("seed %d: %s", seed, diff)
				}
				if err := s.unmodified(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// checkServed checks what must be true at every moment: domains belong to whom
// the reference model says, every EDS cluster has its assignment, every route
// with a sound backend its cluster, and no cluster is idle that is not kept.
func checkServed(s *state, h *history, opts Options) error {
	if err := checkClaims(s, h); err != nil {
		return err
	}
	for _, v := range s.verdicts {
		for _, r := range v.Resources {
			if _, found := s.resources[r]; !found {
				return fmt.Errorf("verdict of %s names %v, which does not exist", v.Site, r)
			}
		}
	}
	return checkClusters(s, h, opts)
}

func checkClusters(s *state, h *history, opts Options) error {
	used := usedClusters(s)
	for _, o := range h.objects {
		if kept, ok := o.(*Kept); ok {
			used[kept.Cluster] = true
		}
	}
	for name := range s.resources {
		switch {
		case strings.HasSuffix(name.Type, ".Cluster"):
			if !used[name.Name] {
				return fmt.Errorf("cluster %s is used by no route", name.Name)
			}
			delete(used, name.Name)
			_, assigned := s.resources[ResourceName{Type: assignmentType, Name: name.Name}]
			if assigned != (opts.Upstreams == UpstreamsEndpoints) {
				return fmt.Errorf("cluster %s: has an assignment: %t", name.Name, assigned)
			}
		case name.Type == assignmentType:
			if !used[name.Name] && s.resources[ResourceName{Type: clusterType, Name: name.Name}].bytes == nil {
				return fmt.Errorf("assignment %s has no cluster", name.Name)
			}
		}
	}
	if opts.Upstreams == UpstreamsEndpoints && len(used) > 0 {
		return fmt.Errorf("routes lead to %v, which do not exist", used)
	}
	return nil
}
