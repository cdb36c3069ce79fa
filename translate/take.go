package translate

import (
	"slices"
	"strings"
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
		b.takePolicy(ref.Key, o)
	case KindNamespace:
		o, _ := object.(*Namespace)
		b.takeNamespace(ref.Key.Name, o)
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
		b.settleIn(s)
	}
	b.sites[s] = struct{}{}
	b.unindex(s)
	s.Site = object
	if object == nil {
		b.w.sites.Delete(key)
		b.moveOut(s)
		return
	}
	spec, routes := judge(object)
	s.respecify(spec)
	if spec.valid() {
		b.foreseen[s] = routes
	}
	s.held = normalDomains(object.Held)
	s.wants = s.held // Withheld: nobody takes its domain while the owner mends it.
	if s.spec.valid() && !(len(s.held) == 1 && s.held[0] == s.spec.domain) {
		s.wants = []string{s.spec.domain}
	}
	b.index(s)
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

// unindex takes s out of the indexes, as it was before.
func (b *batch) unindex(s *site) {
	for _, name := range s.wants {
		d := b.w.domains[name]
		i := slices.Index(d.claimants, s)
		d.claimants[i] = d.claimants[len(d.claimants)-1]
		d.claimants[len(d.claimants)-1] = nil
		d.claimants = d.claimants[:len(d.claimants)-1]
		b.domains[name] = struct{}{}
	}
	s.wants = nil
	if s.Site != nil && s.spec.backendValid() {
		be := b.backend(s.spec.service)
		be.drop(s)
	}
}

// index puts s into the indexes, as it is now.
func (b *batch) index(s *site) {
	for _, name := range s.wants {
		d := b.w.domains[name]
		if d == nil {
			d = &domain{}
			b.w.domains[name] = d
			if b.w.grants != nil {
				b.w.grants.claimed.add(name)
			}
		}
		d.claimants = append(d.claimants, s)
		b.domains[name] = struct{}{}
	}
	if s.spec.backendValid() {
		be := b.backend(s.spec.service)
		be.sites = append(be.sites, s)
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
		be := b.backend(Key{key.Namespace, old.Service})
		i, _ := be.find(key.Name)
		be.slices = slices.Delete(be.slices, i, i+1)
		b.w.slices.Delete(key)
		b.endpoints[be] = struct{}{}
	}
	if object == nil {
		return
	}
	be := b.backend(Key{key.Namespace, object.Service})
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
