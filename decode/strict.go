package decode

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"my-company.com/staticsite-operator/spelling"
)

// check reports every field of f that t does not have, and every value of
// another type than t's. It is for what people write: objects from a cluster
// were checked by the API server, and may have fields that are newer than t.
func check(f Field, t reflect.Type, known objectType) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if f.Value == nil {
		return // null is absence
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		checkSpecial(f, t)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		checkStruct(f, t, known)
	case reflect.Map:
		for _, name := range sortedKeys(f) {
			check(f.At(name), t.Elem(), known)
		}
	case reflect.Slice:
		for _, item := range f.List() {
			check(item, t.Elem(), known)
		}
	case reflect.String:
		f.Text()
	case reflect.Bool:
		f.truth(false)
	case reflect.Int64:
		f.Long()
	case reflect.Int32:
		f.number()
	}
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// checkSpecial is check for types that read themselves.
func checkSpecial(f Field, t reflect.Type) {
	switch t {
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime]():
		f.Time()
	case reflect.TypeFor[intstr.IntOrString]():
		if _, isText := f.Value.(string); !isText {
			f.number()
		}
	}
}

func checkStruct(f Field, t reflect.Type, known objectType) {
	fields := FieldsOf(t)
	for _, name := range sortedKeys(f) {
		if inner, ok := fields[name]; ok {
			check(f.At(name), inner, known)
		} else {
			f.report(join(f.path, name), unknownField(name, slices.Sorted(maps.Keys(fields)), known))
		}
	}
}

// unknownField says what may have been meant: a sibling, a field elsewhere in
// the object, or, where there are few, any of those that exist.
func unknownField(name string, siblings []string, known objectType) string {
	if near := spelling.Nearest(name, siblings); near != "" {
		return fmt.Sprintf("unknown field; did you mean %s?", near)
	}
	if places := known.paths(name); len(places) == 1 {
		return fmt.Sprintf("unknown field; did you mean %s?", places[0])
	}
	if len(siblings) <= 8 {
		return fmt.Sprintf("unknown field; the fields here are %s", strings.Join(siblings, ", "))
	}
	return "unknown field; remove it"
}

// sortedKeys reports f if it is no object.
func sortedKeys(f Field) []string {
	object, ok := f.Value.(map[string]any)
	if !ok {
		f.refuse("fields below it")
	}
	return slices.Sorted(maps.Keys(object))
}

// objectType is the type of a whole object.
type objectType struct{ reflect.Type }

// paths returns where in the object's spec a field of that name exists.
func (o objectType) paths(name string) []string {
	spec, ok := FieldsOf(o.Type)["spec"]
	if !ok {
		return nil
	}
	return pathsBelow("spec", spec, name)
}

func pathsBelow(path string, t reflect.Type, name string) []string {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(unmarshaler) {
		return nil
	}
	var found []string
	fields := FieldsOf(t)
	for _, below := range slices.Sorted(maps.Keys(fields)) {
		if below == name {
			found = append(found, join(path, below))
		}
		found = append(found, pathsBelow(join(path, below), fields[below], name)...)
	}
	return found
}

// FieldsOf returns the fields of a struct type by their JSON names, those of
// inlined structs included.
func FieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type)
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "" && (f.Anonymous || strings.Contains(options, "inline")):
			maps.Copy(fields, FieldsOf(f.Type))
		case name != "":
			fields[name] = f.Type
		}
	}
	return fields
}
