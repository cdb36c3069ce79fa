package source

import (
	"sync/atomic"

	"my-company.com/staticsite-operator/decode"
	"my-company.com/staticsite-operator/kube/observed"
	"my-company.com/staticsite-operator/object"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// cut is what an informer keeps of an object: what translation reads, shared
// with it, and what the status writer must know. An object as the API server
// sends it takes ten to fifty times as much.
type cut struct {
	object  object.Object    // a refused for an object that cannot be read
	version string           // metadata.resourceVersion
	seen    *observed.Status // of a site
}

// refused stands for an object that cannot be read.
type refused struct {
	ref object.Ref
	err *decode.Error
}

func (r *refused) Ref() object.Ref { return r.ref }

// GetObjectMeta is how an informer asks for an object's key and version. The
// answer is made for the occasion: it is used and dropped, and a stored
// ObjectMeta would be most of what is kept.
func (c *cut) GetObjectMeta() metav1.Object {
	key := c.object.Ref().Key
	return &metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, ResourceVersion: c.version}
}

// cutter returns the transformation that an informer applies to objects of a
// kind before it stores them, with which listing they are from. It never fails: an
// informer that cannot transform one object stops for all (rule 77).
func cutter(kind object.Kind, listing *atomic.Uint32) func(any) (any, error) {
	return func(sent any) (any, error) {
		u, ok := sent.(*unstructured.Unstructured)
		if !ok {
			return sent, nil // cut before, or a deletion, of which only the key is used
		}
		c := &cut{version: u.GetResourceVersion()}
		read, err := decode.FromCluster(kind, u.Object)
		if c.object = read; err != nil {
			c.object = &refused{read.Ref(), err}
		}
		if kind == object.KindSite {
			c.seen = observed.Read(u.Object)
			c.seen.Listing = listing.Load()
		}
		if site, ok := c.object.(*object.Site); ok {
			site.Held, site.UID = c.seen.Domains, c.seen.UID // the same words once
		}
		return c, nil
	}
}
