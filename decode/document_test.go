package decode

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	yamlv2 "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
)

// Whatever stands between documents, each of them is read or something is said.
func TestNothingIsLostBetweenDocuments(t *testing.T) {
	const json = `{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "%s"}}`
	const block = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n"
	documents := []string{json, block, block + "# a comment\n", "{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", strings.ReplaceAll(block, "\n", "\r\n"), strings.ReplaceAll(block, "\n", "\r"), strings.ReplaceAll(json, ", ", ",\n\t")}
	between := []string{
		"\n---\n", "---\n", "\r\n---\r\n", "\n--- \t\n", "\n--- # a comment\n", "\n---\n---\n", "\n\n---\n# a comment\n---\n", // as YAML has it
		"\n", "", " ", "\n\n", "\r\n", "\t", // as JSON has it
		"\n...\n", "\n...\n---\n", "\n...\n...\n", "\n... # a comment\n", "...\n", "\n...\n\n# a comment\n\n---\n", "\n....\n", "\n ...\n", // the end of a document
		"\r---\r", "\r...\r", "\u0085---\u0085", "\u2028---\u2028", "\u2029---\u2029", "\n---\r", "\n--- # a comment\r", // what YAML 1.1 takes for the end of a line
		"\n---\n\ufeff", "\n\ufeff---\n", "\ufeff", // files that were joined
		"\n--- ", "\n--- {}\n", "\n---x\n", "\n ---\n", "\n%YAML 1.1\n---\n", ",\n", ",", "\n]\n", "\x00", "\n---\n\x00\n", "\n# no separator\n", "\n{{ template }}\n",
	}
	encodings := []func(string) []byte{
		func(s string) []byte { return []byte(s) },
		func(s string) []byte { return []byte(s) },
		func(s string) []byte { return []byte("\ufeff" + s) },
		func(s string) []byte { return inUTF16(s, 0, 1) },
		func(s string) []byte { return inUTF16(s, 1, 0) },
		func(s string) []byte { return inUTF16(s, 0, 1)[2:] }, // without a mark: nobody can read it
		func(s string) []byte { return append(inUTF16(s, 0, 1), 'x') },
	}
	random := rand.New(rand.NewPCG(1, 0))
	silent, read := 0, 0
	for n := range 10_000 {
		var text strings.Builder
		var names []string
		for i := range 1 + random.IntN(4) {
			if i > 0 || random.IntN(8) == 0 {
				text.WriteString(between[random.IntN(len(between))])
			}
			names = append(names, fmt.Sprint("ns-", i))
			fmt.Fprintf(&text, documents[random.IntN(len(documents))], names[i])
		}
		if random.IntN(4) == 0 {
			text.WriteString(between[random.IntN(len(between))])
		}
		file := encodings[random.IntN(len(encodings))](text.String())
		var got []string
		said := false
		for _, document := range Split(file) {
			decoded, problem := Objects(document)
			said = said || problem != nil
			for _, d := range decoded {
				said = said || len(d.Errors) > 0
				got = append(got, d.Ref.Key.Name)
			}
		}
		if !said && !slices.Equal(got, names) {
			t.Fatalf("file %d has %v, of which %v is read and nothing said:\n%q", n, names, got, file)
		}
		if !said {
			silent++
		}
		if len(got) > 1 {
			read++
		}
		if err := compareWithKubectl(file); err != nil {
			t.Fatalf("file %d: %v\n%q", n, err, file)
		}
	}
	if silent < 1000 || read < 1000 {
		t.Errorf("%d files were good, of %d several documents were read: the test shows nothing", silent, read)
	}
}

// inUTF16 has the low and the high byte of each unit at these places.
func inUTF16(s string, low, high int) []byte {
	units := utf16.Encode([]rune("\ufeff" + s))
	text := make([]byte, 2*len(units))
	for i, unit := range units {
		text[2*i+low], text[2*i+high] = byte(unit), byte(unit>>8)
	}
	return text
}

// FuzzDocuments: what kubectl reads of a file is read here too, with the same
// values, or something is said; and so is what YAML's parser finds in it.
func FuzzDocuments(f *testing.F) {
	inputs, err := filepath.Glob("testdata/decode/*/input.yaml")
	if err != nil || len(inputs) == 0 {
		f.Fatal(err)
	}
	for _, input := range inputs {
		text, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		"a: 1\r---\rb: 2\r", "a: 1\n...\nb: 2\n", "{\"a\": 1}{\"b\": 2}", "{a: 1} {b: 2}", "...\na: 1", "--- # c\ra: 1\n", "a: &x {b: 1}\nc: {<<: *x, b: 2}\nd: {b: 3, <<: *x}",
		"? a\n: b\n", "a: 0x10\nb: 1e3\nc: 2026-01-02\nd: !!binary aGk=\ne: 18446744073709551615\nf: 9.0\ng: 012\nh: 1_000\n1.50: x\n", "!!int a: b", "&a [*a]", "\"\\ud83d\\ude00\": 1",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := compareWithKubectl(text); err != nil {
			t.Error(err)
		}
	})
}

// compareWithKubectl returns an error if kubectl, or YAML's parser, reads what is
// not read here, without a word.
func compareWithKubectl(file []byte) error {
	text := inUTF8(file)
	if !utf8.Valid(text) || bytes.Contains(text, []byte("\ufeff")) {
		return nil // kubectl reads it as something else: a second byte order mark becomes part of a key.
	}
	ours, said := readHere(file)
	if said {
		return nil
	}
	// To kubectl only LF ends a line, also that of a separator with a comment, which it takes away whole.
	if theirs, err := readByKubectl(text); !otherLineEnds.Match(text) && !within(ours, theirs) {
		return fmt.Errorf("kubectl reads %v (%v), here is read %v", theirs, err, ours)
	}
	if theirs, ok := readByYAML(text); ok && !within(ours, theirs) {
		return fmt.Errorf("YAML's parser reads %v, here is read %v", theirs, ours)
	}
	return nil
}

// otherLineEnds matches what ends a line in YAML 1.1 only.
var otherLineEnds = regexp.MustCompile("\r[^\n]|[\u0085\u2028\u2029]")

// readHere returns the values that are read, and whether anything is said of the
// file.
func readHere(file []byte) (values []any, said bool) {
	for _, document := range Split(file) {
		p, err := document.parse()
		if err != nil || p.rest != nil || len(p.twice) > 0 {
			said = true
		}
		if p.value != nil {
			values = append(values, p.value)
		}
	}
	return values, said
}

// readByKubectl reads a file as kubectl's StreamVisitor does, by the same decoder.
func readByKubectl(text []byte) (values []any, err error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var raw runtime.RawExtension
		if err := decoder.Decode(&raw); err == io.EOF {
			return values, nil
		} else if err != nil {
			return values, err
		}
		var value any
		if err := kjson.UnmarshalCaseSensitivePreserveInts(raw.Raw, &value); err == nil && value != nil {
			values = append(values, value)
		}
	}
}

// readByYAML reads all documents of a file, if it is YAML from one end to the
// other.
func readByYAML(text []byte) (values []any, ok bool) {
	decoder := yamlv2.NewDecoder(bytes.NewReader(text))
	for {
		var tree any
		err := decoder.Decode(&tree)
		if err == io.EOF {
			return values, true
		}
		value, badValue := asJSON(tree)
		if err != nil || badValue != nil {
			return nil, false
		}
		if value != nil {
			values = append(values, value)
		}
	}
}

// within reports whether all of some are among all, in this order.
func within(all, some []any) bool {
	for _, value := range all {
		if len(some) > 0 && reflect.DeepEqual(value, some[0]) {
			some = some[1:]
		}
	}
	return len(some) == 0
}
