package decode

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
)

// Every field of a specification arrives in translation, from a file and from a
// cluster: a new one too.
func TestNoFieldOfASpecificationIsDropped(t *testing.T) {
	want := &v1alpha1.StaticSite{Spec: v1alpha1.StaticSiteSpec{Domain: "docs.example.com"}}
	want.APIVersion, want.Kind, want.Namespace, want.Name = v1alpha1.GroupVersion.String(), v1alpha1.Kind, "docs", "main"
	fill(reflect.ValueOf(&want.Spec).Elem(), "spec")
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	u := new(unstructured.Unstructured)
	if err := u.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}

	decoded, problem := Objects(Document{Line: 1, Text: text})
	if problem != nil || len(decoded) != 1 || len(decoded[0].Errors) > 0 {
		t.Fatalf("%v, %+v", problem, decoded)
	}
	read, wrong := FromCluster(object.KindSite, u.Object)
	if wrong != nil {
		t.Fatal(wrong)
	}
	for from, o := range map[string]object.Object{"a file": decoded[0].Object, "a cluster": read} {
		site, ok := o.(*object.Site)
		if !ok {
			t.Fatalf("from %s came %+v", from, o)
		}
		got := v1alpha1.StaticSiteSpec{
			Domain:       site.Domain,
			Backend:      v1alpha1.Backend{ServiceName: site.Service, ServicePort: site.Port},
			SiteFeatures: *site.Features,
		}
		if !reflect.DeepEqual(got, want.Spec) {
			t.Errorf("from %s came\n%+v, want\n%+v", from, got, want.Spec)
		}
	}
}

// A specification without features takes no memory for them.
func TestNoFeaturesAreNone(t *testing.T) {
	root := map[string]any{"metadata": map[string]any{"namespace": "docs", "name": "a"},
		"spec": map[string]any{"domain": "a.example.com", "backend": map[string]any{"serviceName": "web", "servicePort": int64(80)}}}
	o, wrong := FromCluster(object.KindSite, root)
	if wrong != nil {
		t.Fatal(wrong)
	}
	if f := o.(*object.Site).Features; f != nil {
		t.Errorf("features %+v", f)
	}
}

// fill gives each field a value of its own.
func fill(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), fmt.Sprint(path, i))
		}
	case reflect.String:
		v.SetString(path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(len(path)))
	default:
		panic("how is a " + v.Type().String() + " filled?")
	}
}
