package decode

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A twice is a key that an object has more than once, so that one of its values is
// lost.
type twice struct {
	path string
	line int // within the document, from 1; 0 if not known
}

func (t twice) problem(d Document) string {
	switch {
	case t.path == "":
		return "a key is written twice; remove one"
	case t.line == 0:
		return "is written twice; remove one"
	}
	return fmt.Sprintf("is written twice, in line %d again; remove one", d.Line+t.line-1)
}

// twiceInJSON reads the errors of a strict parser of JSON.
func twiceInJSON(strict []error) (found []twice) {
	for _, err := range strict {
		if at, ok := err.(interface{ FieldPath() string }); ok {
			found = append(found, twice{path: at.FieldPath()})
		}
	}
	return found
}

// twiceInYAML returns the keys of a document that are written twice. A key beside
// "<<" is not one of them: it is meant to stand for what is merged. The parser
// that reads values makes no difference between the two.
func (d Document) twiceInYAML() (found []twice) {
	var document yaml.Node
	if err := yaml.Unmarshal(d.Text, &document); err != nil || len(document.Content) == 0 {
		return []twice{{}} // The two parsers do not agree: nothing of it is believed.
	}
	walkTwice(document.Content[0], "", &found)
	return found
}

func walkTwice(node *yaml.Node, path string, found *[]twice) {
	switch node.Kind {
	case yaml.SequenceNode:
		for i, item := range node.Content {
			walkTwice(item, nth(path, i), found)
		}
	case yaml.MappingNode:
		seen := make(map[string]bool, len(node.Content)/2)
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if key.ShortTag() == "!!merge" {
				continue
			}
			below := join(path, strings.ToValidUTF8(key.Value, "?"))
			if name := keyName(key); seen[name] {
				*found = append(*found, twice{below, key.Line})
			} else {
				seen[name] = true
			}
			walkTwice(node.Content[i+1], below, found)
		}
	}
}

// keyName is equal for keys that mean the same, however they are written.
func keyName(key *yaml.Node) string {
	var value any
	if err := key.Decode(&value); err != nil {
		return key.Value
	}
	return fmt.Sprint(value)
}
