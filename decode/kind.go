package decode

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
)

// kind is one kind of object that is read.
type kind struct {
	name       object.Kind
	apiVersion string
	schema     reflect.Type // its Go type: which fields exist
	read       func(Field, object.Key) object.Object
	global     bool // objects have no namespace
}

var kinds = [...]kind{
	{object.KindSite, v1alpha1.GroupVersion.String(), reflect.TypeFor[v1alpha1.StaticSite](), readSite, false},
	{object.KindService, corev1.SchemeGroupVersion.String(), reflect.TypeFor[corev1.Service](), readService, false},
	{object.KindSlice, discoveryv1.SchemeGroupVersion.String(), reflect.TypeFor[discoveryv1.EndpointSlice](), readSlice, false},
	{object.KindPolicy, v1alpha1.GroupVersion.String(), reflect.TypeFor[v1alpha1.SiteDomainPolicy](), readPolicy, true},
	{object.KindNamespace, corev1.SchemeGroupVersion.String(), reflect.TypeFor[corev1.Namespace](), readNamespace, true},
}

func kindOf(name object.Kind) (kind, bool) {
	for _, k := range kinds {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// Reads reports whether objects of a kind are read.
func Reads(name object.Kind) bool {
	_, ok := kindOf(name)
	return ok
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k.name)
	}
	return names
}
