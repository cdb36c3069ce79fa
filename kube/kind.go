package kube

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/translate"
)

// kind is one kind of object that is read.
type kind struct {
	name       translate.Kind
	apiVersion string
	schema     reflect.Type // its Go type: which fields exist
	read       func(field, translate.Key) translate.Object
	global     bool // objects have no namespace
}

var kinds = [...]kind{
	{translate.KindSite, v1alpha1.GroupVersion.String(), reflect.TypeFor[v1alpha1.StaticSite](), readSite, false},
	{translate.KindService, corev1.SchemeGroupVersion.String(), reflect.TypeFor[corev1.Service](), readService, false},
	{translate.KindSlice, discoveryv1.SchemeGroupVersion.String(), reflect.TypeFor[discoveryv1.EndpointSlice](), readSlice, false},
	{translate.KindPolicy, v1alpha1.GroupVersion.String(), reflect.TypeFor[v1alpha1.SiteDomainPolicy](), readPolicy, true},
	{translate.KindNamespace, corev1.SchemeGroupVersion.String(), reflect.TypeFor[corev1.Namespace](), readNamespace, true},
}

func kindOf(name translate.Kind) (kind, bool) {
	for _, k := range kinds {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// Reads tells whether objects of a kind are read.
func Reads(name translate.Kind) bool {
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
