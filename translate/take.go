package translate

import (
	"slices"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/claims"
	"my-company.com/staticsite-operator/translate/hostname"
	"my-company.com/staticsite-operator/translate/upstream"
)

// take puts one changed object in its place in the indexes and marks what
// depends on it. A nil object is gone.
func (b *batch) take(ref object.Ref, o object.Object) {
	switch ref.Kind {
	case object.KindSite:
		site, _ := o.(*object.Site)
		b.takeSite(ref.Key, site)
	case object.KindService:
		service, _ := o.(*object.Service)
		b.takeService(ref.Key, service)
	case object.KindSlice:
		slice, _ := o.(*object.Slice)
		b.takeSlice(ref.Key, slice)
	case object.KindPolicy:
		policy, _ := o.(*object.Policy)
		b.problems = append(b.problems, b.w.claims.Policy(ref.Key.Name, policy)...)
	case object.KindNamespace:
		namespace, _ := o.(*object.Namespace)
		b.w.claims.Namespace(ref.Key.Name, namespace)
	case KindKept:
		b.takeKept(ref.Key.Name, o != nil)
	}
}

func (b *batch) takeSite(key object.Key, o *object.Site) {
	s := b.w.sites.Get(key)
	if s == nil {
		if o == nil {
			return
		}
		s = &site{key: key}
		b.w.sites.Put(s)
	}
	b.sites[s] = struct{}{}
	if s.spec != nil {
		for to := range s.spec.Backends() {
			be := b.backend(to.Service)
			be.sites = without(be.sites, s)
		}
	}
	if o == nil {
		b.w.claims.Change(s, claims.Claim{})
		b.w.sites.Delete(key)
		return
	}
	b.respecify(s, o)
	b.w.claims.Change(s, claims.ClaimOf(o, s.spec.Domain, hostname.Normal(o.Held), s.spec.Valid()))
	for to := range s.spec.Backends() {
		be := b.backend(to.Service)
		be.sites = append(be.sites, s)
	}
}

func (b *batch) takeService(key object.Key, o *object.Service) {
	be := b.backend(key)
	be.Object = o
	b.endpoints[be] = struct{}{}
	for _, s := range be.sites {
		b.sites[s] = struct{}{}
	}
}

func (b *batch) takeSlice(key object.Key, o *object.Slice) {
	if old := b.w.slices.Get(key); old != nil {
		be := b.backend(object.Key{Namespace: key.Namespace, Name: old.Service})
		be.DropSlice(key.Name)
		b.w.slices.Delete(key)
		b.endpoints[be] = struct{}{}
	}
	if o == nil {
		return
	}
	be := b.backend(object.Key{Namespace: key.Namespace, Name: o.Service})
	be.PutSlice(o)
	b.w.slices.Put(o)
	b.endpoints[be] = struct{}{}
}

// without returns a list without one item, which is in it. It looks through all of
// them: pointers, and mostly one.
func without[T comparable](list []T, item T) []T {
	i := slices.Index(list, item)
	return slices.Delete(list, i, i+1)
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

// backend returns the node of a Service, existing or not. Whoever asks may
// change it, so it is looked at again when the batch forgets.
func (b *batch) backend(key object.Key) *backend {
	be := b.w.backends.Get(key)
	if be == nil {
		be = &backend{Service: upstream.Service{Key: key}}
		b.w.backends.Put(be)
	}
	b.backends[be] = struct{}{}
	return be
}
