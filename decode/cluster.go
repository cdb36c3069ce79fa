package decode

import "my-company.com/staticsite-operator/object"

// FromCluster reads an object of a kind that is read here (see Reads) from what the
// API server sent, which checked it against a schema that may be newer than ours:
// what we do not know is not our concern. With an error, only the object's Ref is
// to be used.
func FromCluster(kind object.Kind, root map[string]any) (object.Object, *Error) {
	k, _ := kindOf(kind)
	var first *Error
	f := Field{Value: root}
	f.report = func(path, problem string) {
		if first == nil {
			first = &Error{Field: path, Problem: problem}
		}
	}
	metadata := f.At("metadata")
	key := object.Key{Namespace: metadata.At("namespace").Text(), Name: metadata.At("name").Text()}
	read := k.read(f, key)
	if first != nil {
		first.Object = string(kind) + " " + key.String()
	}
	return read, first
}
