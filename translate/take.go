package translate

import (
	"slices"
	"strings"

	"my-company.com/staticsite-operator/translate/claims"
	"my-company.com/staticsite-operator/translate/hostname"
)

// take puts one changed object in its place in the indexes and marks what
// depends on it. A nil object is gone.
func (b *batch) take(ref Ref, object Object) {
	switch ref.Kind {
	case KindSite:
		o, _ := object.(*Site)
		b.takeSite(ref.Key, o)
	case KindService:
		o, _ := object.(*Service)
		b.takeService(ref.Key, o)
	case KindSlice:
		o, _ := object.(*Slice)
		b.takeSlice(ref.Key, o)
	case KindPolicy:
		o, _ := object.(*Policy)
		b.problems = append(b.problems, b.w.claims.Policy(ref.Key.Name, o)...)
	case KindNamespace:
		o, _ := object.(*Namespace)
		b.w.claims.Namespace(ref.Key.Name, o)
	case KindKept:
		b.takeKept(ref.Key.Name, object != nil)
	}
}

func (b *batch) takeSite(key Key, object *Site) {
	s := b.w.sites.Get(key)
	if s == nil {
		if object == nil {
			return
		}
		s = &site{key: key}
		b.w.sites.Put(s)
	}
	b.sites[s] = struct{}{}
	if s.claim.Site != nil && s.spec.backendValid() {
		b.backend(s.spec.service).drop(s)
	}
	if object == nil {
		b.w.claims.Change(s, claims.Claim{})
		b.w.sites.Delete(key)
		return
	}
	spec, routes := judge(object)
	s.respecify(spec)
	if spec.valid() {
		b.foreseen[s] = routes
	}
	b.w.claims.Change(s, claims.ClaimOf(object, spec.domain, hostname.Normal(object.Held), spec.valid()))
	if s.spec.backendValid() {
		be := b.backend(s.spec.service)
		be.sites = append(be.sites, s)
	}
}

// respecify replaces the specification of s and remembers the last valid one.
func (s *site) respecify(spec judged) {
	if s.good == &s.spec.goodSpec && !spec.valid() {
		last := s.spec.goodSpec
		s.good = &last
	}
	if s.spec = spec; spec.valid() {
		s.good = &s.spec.goodSpec
	}
}

func (b *batch) takeService(key Key, object *Service) {
	be := b.backend(key)
	be.service = object
	b.endpoints[be] = struct{}{}
	for _, s := range be.sites {
		b.sites[s] = struct{}{}
	}
}

func (b *batch) takeSlice(key Key, object *Slice) {
	if old := b.w.slices.Get(key); old != nil {
		be := b.backend(Key{Namespace: key.Namespace, Name: old.Service})
		i, _ := be.find(key.Name)
		be.slices = slices.Delete(be.slices, i, i+1)
		b.w.slices.Delete(key)
		b.endpoints[be] = struct{}{}
	}
	if object == nil {
		return
	}
	be := b.backend(Key{Namespace: key.Namespace, Name: object.Service})
	i, _ := be.find(key.Name)
	be.slices = slices.Insert(be.slices, i, object)
	b.w.slices.Put(object)
	b.endpoints[be] = struct{}{}
}

// drop takes a site from be.sites. It looks through all of them: pointers, and
// mostly one.
func (be *backend) drop(s *site) {
	i, last := slices.Index(be.sites, s), len(be.sites)-1
	be.sites[i] = be.sites[last]
	be.sites[last] = nil
	be.sites = be.sites[:last]
}

// cluster returns the cluster of a port, or nil.
func (be *backend) cluster(port int32) *cluster {
	for _, c := range be.clusters {
		if c.port == port {
			return c
		}
	}
	return nil
}

// find returns where in be.slices the slice of that name is or would be.
func (be *backend) find(name string) (int, bool) {
	return slices.BinarySearchFunc(be.slices, name, func(s *Slice, name string) int {
		return strings.Compare(s.Name, name)
	})
}

// backend returns the node of a Service, existing or not. Whoever asks may
// change it, so it is looked at again when the batch forgets.
func (b *batch) backend(key Key) *backend {
	be := b.w.backends.Get(key)
	if be == nil {
		be = &backend{key: key}
		b.w.backends.Put(be)
	}
	b.backends[be] = struct{}{}
	return be
}
