package kube

import (
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/translate"
)

// cut is what an informer keeps of an object: what translation reads, shared
// with it, and what the status writer must know. An object as the API server
// sends it takes ten to fifty times as much.
type cut struct {
	object  translate.Object // a refused for an object that cannot be read
	version string           // metadata.resourceVersion
	seen    *observation     // of a site
}

// refused stands for an object that cannot be read.
type refused struct {
	ref translate.Ref
	err *Error
}

func (r *refused) Ref() translate.Ref { return r.ref }

// GetObjectMeta is how an informer asks for an object's key and version. The
// answer is made for the occasion: it is used and dropped, and a stored
// ObjectMeta would be most of what is kept.
func (c *cut) GetObjectMeta() metav1.Object {
	key := c.object.Ref().Key
	return &metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, ResourceVersion: c.version}
}

// cutter returns the transformation that an informer applies to objects of kind
// k before it stores them, with which listing they are from. It never fails: an
// informer that cannot transform one object stops for all (rule 77).
func cutter(k kind, listing *atomic.Uint32) func(any) (any, error) {
	return func(object any) (any, error) {
		u, ok := object.(*unstructured.Unstructured)
		if !ok {
			return object, nil // cut before, or a deletion, of which only the key is used
		}
		c := &cut{version: u.GetResourceVersion()}
		c.object = readCluster(k, u.Object)
		if k.name == translate.KindSite {
			c.seen = observe(u.Object)
			c.seen.listing = listing.Load()
		}
		if site, ok := c.object.(*translate.Site); ok {
			site.Held, site.UID = c.seen.domains, c.seen.uid // the same words once
		}
		return c, nil
	}
}

// readCluster reads an object from the API server, which checked it against a
// schema that may be newer than ours: what we do not know is not our concern.
func readCluster(k kind, root map[string]any) translate.Object {
	var first *Error
	f := field{value: root}
	f.report = func(path, problem string) {
		if first == nil {
			first = &Error{Field: path, Problem: problem}
		}
	}
	metadata := f.at("metadata")
	key := translate.Key{Namespace: metadata.at("namespace").text(), Name: metadata.at("name").text()}
	object := k.read(f, key)
	if first != nil {
		first.Object = string(k.name) + " " + key.String()
		return &refused{object.Ref(), first}
	}
	return object
}
