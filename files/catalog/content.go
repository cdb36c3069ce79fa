package catalog

import (
	"crypto/sha256"

	"my-company.com/staticsite-operator/decode"
	"my-company.com/staticsite-operator/object"
)

// content is what a file says.
type content struct {
	objects  map[object.Ref][]object.Object // the good ones; more than one is a mistake of the file
	unsure   bool                           // a mistake in the file may be what is left of any object
	problems []Problem

	// decoded remembers the good documents, so that one edit in a file of
	// thousands does not decode them all again.
	decoded decodedDocuments
}

type decodedDocuments map[[sha256.Size]byte][]decode.Decoded

// read decodes a file. Documents that stand in before are not decoded again.
func read(path string, text []byte, before decodedDocuments) content {
	c := content{
		objects: make(map[object.Ref][]object.Object),
		decoded: make(decodedDocuments),
	}
	for _, document := range decode.Split(text) {
		sum := sha256.Sum256(document.Text)
		decoded, known := before[sum]
		if !known {
			var err *decode.Error
			if decoded, err = decode.Objects(document); err != nil {
				c.unsure = true
				c.problems = append(c.problems, Problem{path, err})
				c.add(path, decoded)
				continue
			}
		}
		if c.add(path, decoded) {
			c.decoded[sum] = decoded
		}
	}
	return c
}

// add takes the objects of one document, and reports whether all were good.
func (c *content) add(path string, decoded []decode.Decoded) bool {
	good := true
	for _, d := range decoded {
		for _, err := range d.Errors {
			c.problems = append(c.problems, Problem{path, err})
		}
		if d.Object == nil {
			good = false
			// Other kinds may stand in the same file, and are no sign that it is half
			// written.
			c.unsure = c.unsure || d.Ref.Key.Name == "" || d.Ref.Kind == "" || decode.Reads(d.Ref.Kind)
			continue
		}
		if len(c.objects[d.Ref]) > 0 {
			c.problems = append(c.problems, duplicated(path, d.Ref, path))
		}
		c.objects[d.Ref] = append(c.objects[d.Ref], d.Object)
	}
	return good
}
