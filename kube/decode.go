package kube

import (
	"cmp"
	"fmt"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/spelling"
	"my-company.com/staticsite-operator/translate"
)

// Decoded is one object of a document: as much of it as could be read.
type Decoded struct {
	// Ref is which object this is. It is known for many objects with mistakes
	// too (of a misspelt kind, the one that was meant); its Name is empty when
	// the text does not say.
	Ref translate.Ref

	Object translate.Object // nil if there are Errors
	Errors []*Error
}

// Decode reads the objects of a document that a person wrote: none if it is
// empty, one, or those of a List. It is strict: unknown fields, duplicate keys
// and wrong types are errors of their object. The error it returns is about
// text in which no objects can be told apart.
//
// Files have no history: generation, age and status in them are not believed.
func Decode(d Document) ([]Decoded, *Error) {
	value, twice, err := d.parse()
	if err != nil {
		return nil, &Error{Problem: "not valid YAML: " + err.Error()}
	}
	if value == nil {
		return nil, nil
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, &Error{Problem: fmt.Sprintf("line %d: write an object with apiVersion, kind and metadata, not %s", d.Line, show(value))}
	}
	if root["kind"] != "List" {
		return []Decoded{decodeObject(root, twice)}, nil
	}
	items, ok := root["items"].([]any)
	if !ok && root["items"] != nil {
		return nil, &Error{Object: "List", Field: "items", Problem: "write a list, not " + show(root["items"])}
	}
	if len(twice) > 0 {
		return nil, &Error{Object: "List", Problem: strings.Join(twice, "; ")} // whose they are is not known
	}
	all := make([]Decoded, 0, len(items))
	for i, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			all = append(all, Decoded{Errors: []*Error{{Object: "List", Field: nth("items", i), Problem: "write an object, not " + show(item)}}})
			continue
		}
		all = append(all, decodeObject(object, nil))
	}
	return all, nil
}

// decodeObject reads one object, strictly. Each of the problems in twice is one
// key that the object has twice.
func decodeObject(root map[string]any, twice []string) Decoded {
	id, label, found := identify(root)
	for _, problem := range twice {
		found.report("", problem)
	}
	var object translate.Object
	if k, known := kindOf(id.Kind); known && len(found.list) == 0 {
		f := field{value: root, report: found.report}
		checkWritten(f, k)
		if len(found.list) == 0 { // otherwise reading would find the same again
			object = k.read(f, id.Key)
			checkLabel(f, object)
		}
	}
	if len(found.list) > 0 {
		return Decoded{Ref: id, Errors: found.of(label)}
	}
	return Decoded{Ref: id, Object: withoutHistory(object)}
}

// checkWritten is check for all but the status, which is nobody's to write in a
// file and may come from a newer operator (kubectl get -o yaml has it).
func checkWritten(f field, k kind) {
	root := f.value.(map[string]any)
	written := make(map[string]any, len(root))
	for name, value := range root {
		if name != "status" {
			written[name] = value
		}
	}
	check(field{value: written, report: f.report}, k.schema, objectType{k.schema})
}

// checkLabel reports a slice that belongs to no Service: legal in a cluster,
// where it is somebody else's, but useless in a file.
func checkLabel(f field, object translate.Object) {
	if slice, ok := object.(*translate.Slice); ok && slice.Service == "" {
		f.report("metadata.labels", fmt.Sprintf("write %s: the name of the Service whose endpoints these are", discoveryv1.LabelServiceName))
	}
}

func withoutHistory(object translate.Object) translate.Object {
	if site, ok := object.(*translate.Site); ok {
		return &translate.Site{Key: site.Key, Domain: site.Domain, Service: site.Service, Port: site.Port}
	}
	return object
}

// identify returns which object a text is about, as far as it says, and what to
// call it in errors, which always names something.
func identify(root map[string]any) (id translate.Ref, label string, _ *mistakes) {
	var found mistakes
	f := field{value: root, report: found.report}
	metadata := f.need("metadata")
	id.Key.Namespace = metadata.at("namespace").text()
	id.Key.Name = metadata.need("name").text()
	if id.Key.Name == "" && len(found.list) == 0 {
		found.report("metadata.name", "empty; write "+inWords["metadata.name"])
	}
	id.Kind = identifyKind(f)
	switch k, _ := kindOf(id.Kind); {
	case k.global && id.Key.Namespace != "":
		found.report("metadata.namespace", fmt.Sprintf("a %s belongs to no namespace; remove it", id.Kind))
		id.Key.Namespace = ""
	case !k.global && id.Key.Namespace == "":
		id.Key.Namespace = metav1.NamespaceDefault
	}
	kind, _ := f.value.(map[string]any)["kind"].(string)
	shown := translate.Key{Namespace: id.Key.Namespace, Name: cmp.Or(id.Key.Name, "(no name)")}
	return id, cmp.Or(kind, "object") + " " + shown.String(), &found
}

// identifyKind returns the kind that was meant, or what stands there if it is
// near none.
func identifyKind(f field) translate.Kind {
	name := f.need("kind").text()
	if name == "" {
		if f.at("kind").value == "" {
			f.report("kind", "empty; write "+inWords["kind"])
		}
		return ""
	}
	if k, ok := kindOf(translate.Kind(name)); ok {
		switch version := f.at("apiVersion").text(); version {
		case k.apiVersion:
		case "":
			f.report("apiVersion", "missing; write "+k.apiVersion)
		default:
			f.report("apiVersion", fmt.Sprintf("%s is not known for a %s; write %s", version, name, k.apiVersion))
		}
		return k.name
	}
	if near := spelling.Nearest(name, kindNames()); near != "" {
		f.report("", fmt.Sprintf("kind %s is not known; did you mean %s?", name, near))
		return translate.Kind(near)
	}
	f.report("", fmt.Sprintf("kind %s is not read here; write %s", name, inWords["kind"]))
	return translate.Kind(name)
}
