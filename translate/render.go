package translate

import (
	"hash/maphash"

	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/spec"
)

// render returns what a site's domain is served by: in layout scoped its scope, in
// layout single its virtual host in the table.
//
// This is the one place where a site is rendered. What is checked before the site
// gets a chance to meet others is what is handed out: the same message, or one that
// was made of the same specification by the same function.
func (w *World) render(site object.Key, s *spec.Spec) envoy.Message {
	if w.opts.Routes == envoy.RoutesSingle {
		return s.VirtualHost(site, s.Domain)
	}
	return envoy.Scope(s.Domain, s.VirtualHost(site, envoy.EveryDomain))
}

// respecify judges an object, whose specification becomes the present one of s, and
// also the last good one if it is valid.
//
// A valid specification is rendered and checked. If it renders as the last good one
// does, the last good one stays in its place: nothing is to be handed out.
func (b *batch) respecify(s *site, o *object.Site) {
	s.spec = spec.Judge(o)
	if !s.spec.Valid() {
		return
	}
	routes := b.w.render(s.key, s.spec)
	if err := check(s.spec, routes); err != nil {
		s.spec.Refuse(v1alpha1.ReasonInvalidConfiguration, "spec", err)
		return
	}
	if digest := b.w.digest(routes); s.good == nil || digest != s.rendered {
		s.good, s.rendered = s.spec, digest
	}
	s.spec = s.good
	b.rendered[s.good] = routes
}

// check returns why a proxy would refuse what a specification becomes: its routes, and
// the clusters that they lead to.
func check(s *spec.Spec, routes envoy.Message) error {
	if err := envoy.Check(routes); err != nil {
		return err
	}
	for to := range s.Backends() {
		if err := envoy.Check(envoy.Cluster(to.Cluster(), envoy.Shape{})); err != nil {
			return err
		}
	}
	return nil
}

// digest is equal for equal messages, and practically only for them.
func (w *World) digest(m proto.Message) uint64 {
	encoded, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(w.scratch[:0], m)
	if err != nil {
		panic("encode what was checked: " + err.Error())
	}
	w.scratch = encoded
	return maphash.Bytes(w.seed, encoded)
}
