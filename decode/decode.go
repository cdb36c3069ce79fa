package decode

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/spelling"
)

// Decoded is one object of a document: as much of it as could be read.
type Decoded struct {
	// Ref is which object this is. It is known for many objects with mistakes
	// too (of a misspelt kind, the one that was meant); its Name is empty when
	// the text does not say.
	Ref object.Ref

	Object object.Object // nil if there are Errors
	Errors []*Error
}

// Objects reads the objects of a document that a person wrote: none if it is
// empty, one, or those of a list. It is strict: unknown fields, duplicate keys
// and wrong types are errors of their object. The error it returns is about
// text in which no objects can be told apart: of the whole document, or of what
// stands after the objects that it returns with it.
//
// Files have no history: generation, age and status in them are not believed.
func Objects(d Document) ([]Decoded, *Error) {
	p, err := d.parse()
	if err != nil {
		return nil, &Error{Problem: "not valid YAML: " + err.Error()}
	}
	var problem *Error
	if p.rest != nil {
		problem = &Error{Problem: p.rest.Error()}
	}
	if p.value == nil {
		return nil, problem
	}
	root, ok := p.value.(map[string]any)
	if !ok {
		return nil, &Error{Problem: fmt.Sprintf("line %d: write an object with apiVersion, kind and metadata, not %s", d.Line, show(p.value))}
	}
	var found mistakes
	for _, key := range p.twice {
		found.report(key.path, key.problem(d))
	}
	if kind, _ := root["kind"].(string); strings.HasSuffix(kind, "List") {
		return decodeList(root, kind, found), problem
	}
	return []Decoded{decodeObject(root, found)}, problem
}

// decodeList reads the objects of a list: a List, as kubectl prints it, or one of
// a single kind, as the API server answers. Objects in the latter need not say
// again of what kind they are. What is wrong with the list itself is a Decoded
// of no kind.
func decodeList(root map[string]any, kind string, found mistakes) []Decoded {
	own := Field{Value: root, report: found.report}
	check(own, reflect.TypeFor[metav1.List](), objectType{reflect.TypeFor[metav1.List]()})
	own.need("items")
	var all []Decoded
	for i, item := range own.At("items").List() {
		one, ok := item.Value.(map[string]any)
		if !ok {
			found.report(item.path, "write an object, not "+show(item.Value))
			continue
		}
		if ofKind := strings.TrimSuffix(kind, "List"); ofKind != "" {
			one = withType(one, ofKind, root["apiVersion"])
		}
		all = append(all, decodeObject(one, found.below(nth("items", i))))
	}
	if len(found.list) > 0 {
		all = append(all, Decoded{Errors: found.of(kind)})
	}
	return all
}

// withType returns an object with the kind and apiVersion that it does not say.
func withType(root map[string]any, kind string, apiVersion any) map[string]any {
	typed := map[string]any{"kind": kind, "apiVersion": apiVersion}
	maps.Copy(typed, root)
	return typed
}

// decodeObject reads one object, strictly. Of what is found in it already it is
// told.
func decodeObject(root map[string]any, found mistakes) Decoded {
	id, label := identify(root, &found)
	var read object.Object
	if k, known := kindOf(id.Kind); known && len(found.list) == 0 {
		f := Field{Value: root, report: found.report}
		checkWritten(f, k)
		if len(found.list) == 0 { // otherwise reading would find the same again
			read = k.read(f, id.Key)
			checkLabel(f, read)
		}
	}
	if len(found.list) > 0 {
		return Decoded{Ref: id, Errors: found.of(label)}
	}
	return Decoded{Ref: id, Object: withoutHistory(read)}
}

// checkWritten is check for all but the status, which is nobody's to write in a
// file and may come from a newer operator (kubectl get -o yaml has it).
func checkWritten(f Field, k kind) {
	root := f.Value.(map[string]any)
	written := make(map[string]any, len(root))
	for name, value := range root {
		if name != "status" {
			written[name] = value
		}
	}
	check(Field{Value: written, report: f.report}, k.schema, objectType{k.schema})
}

// checkLabel reports a slice that belongs to no Service: legal in a cluster,
// where it is somebody else's, but useless in a file.
func checkLabel(f Field, read object.Object) {
	if slice, ok := read.(*object.Slice); ok && slice.Service == "" {
		f.report("metadata.labels", fmt.Sprintf("write %s: the name of the Service whose endpoints these are", discoveryv1.LabelServiceName))
	}
}

// withoutHistory takes away what only an API server can say of an object.
func withoutHistory(read object.Object) object.Object {
	if site, ok := read.(*object.Site); ok {
		written := *site
		written.UID, written.Generation, written.Created, written.Held = "", 0, time.Time{}, nil
		return &written
	}
	return read
}

// identify returns which object a text is about, as far as it says, and what to
// call it in errors, which always names something.
func identify(root map[string]any, found *mistakes) (id object.Ref, label string) {
	f := Field{Value: root, report: found.report}
	metadata := f.need("metadata")
	id.Key.Namespace = metadata.At("namespace").Text()
	id.Key.Name = metadata.need("name").Text()
	if name, present := metadata.At("name").Value.(string); present && name == "" {
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
	kind, _ := f.Value.(map[string]any)["kind"].(string)
	shown := object.Key{Namespace: id.Key.Namespace, Name: cmp.Or(id.Key.Name, "(no name)")}
	return id, cmp.Or(kind, "object") + " " + shown.String()
}

// identifyKind returns the kind that was meant, or what stands there if it is
// near none.
func identifyKind(f Field) object.Kind {
	name := f.need("kind").Text()
	if name == "" {
		if f.At("kind").Value == "" {
			f.report("kind", "empty; write "+inWords["kind"])
		}
		return ""
	}
	if k, ok := kindOf(object.Kind(name)); ok {
		switch version := f.At("apiVersion").Text(); version {
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
		return object.Kind(near)
	}
	f.report("", fmt.Sprintf("kind %s is not read here; write %s", name, inWords["kind"]))
	return object.Kind(name)
}
