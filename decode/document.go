package decode

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"go.yaml.in/yaml/v2"
	kjson "sigs.k8s.io/json"
)

// Document is one document of a file: one of YAML, or one of several JSON values
// that stand back to back.
type Document struct {
	Line int // the line of the file on which Text starts, from 1
	Text []byte
}

// Split cuts a file into its documents. A line that starts with "---" always
// separates documents in YAML, even inside a block of text, and so does one that
// starts with "...": no parser is needed, and one broken document costs only
// itself.
//
// Invariant: each byte of the file is in a document, except separators and a byte
// order mark. Objects answers for each byte of a document.
func Split(file []byte) []Document {
	file = inUTF8(file)
	var documents []Document
	current := Document{Line: 1}
	line, start := 1, 0
	for rest := file; len(rest) > 0; line++ {
		text, after, _ := bytes.Cut(rest, []byte("\n"))
		here := len(file) - len(rest)
		if isMarker(text, "---") || isMarker(text, "...") {
			current.Text = file[start:here]
			documents = append(documents, current.values()...)
			current, start = Document{Line: line}, here
			if string(bytes.TrimRight(text, " \t\r")) == "---" {
				current.Line, start = line+1, len(file)-len(after)
			}
		}
		rest = after
	}
	current.Text = file[start:]
	return append(documents, current.values()...)
}

// isMarker reports whether a line starts with a marker, as a word of its own.
func isMarker(line []byte, marker string) bool {
	rest, found := bytes.CutPrefix(line, []byte(marker))
	return found && (len(rest) == 0 || strings.ContainsRune(" \t\r", rune(rest[0])))
}

// inUTF8 returns a file's text without a byte order mark, and in UTF-8 if the mark
// is one of UTF-16, as some editors and shells of Windows write it. kubectl reads
// such files too.
func inUTF8(file []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(file, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	}
	if len(file)%2 == 1 {
		file = append(bytes.Clone(file), 0xff) // Half a character: no character at all, whatever the order.
	}
	units := make([]uint16, 0, len(file)/2)
	for i := 2; i < len(file); i += 2 {
		units = append(units, order.Uint16(file[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

// values cuts a document that begins with JSON into its values, as `jq '.items[]'`
// prints them and `cat *.json` joins them. What follows the last of them is the
// last document.
func (d Document) values() []Document {
	if !bytes.HasPrefix(bytes.TrimSpace(d.Text), []byte("{")) {
		return []Document{d}
	}
	var values []Document
	decoder := json.NewDecoder(bytes.NewReader(d.Text))
	rest, start := d, int64(0)
	for len(bytes.TrimSpace(rest.Text)) > 0 || len(values) == 0 {
		if decoder.Decode(new(json.RawMessage)) != nil {
			return append(values, rest)
		}
		end := decoder.InputOffset()
		value := d.Text[start:end]
		values = append(values, Document{rest.Line, value})
		rest = Document{rest.Line + bytes.Count(value, []byte("\n")), d.Text[end:]}
		start = end
	}
	return values
}

// A parsed is what a document holds.
type parsed struct {
	value any     // as JSON has it, whole numbers as int64; nil if there is nothing
	twice []twice // the keys that are written twice; value has what stands there last
	rest  error   // there is more in the document, and value is all that can be read
}

// parse reads a document as kubectl does, with the parsers that kubectl has. The
// error is about text that is neither JSON nor YAML.
func (d Document) parse() (p parsed, err error) {
	if isMarker(d.firstLine(), "...") {
		return parsed{rest: d.afterTheEnd()}, nil
	}
	if strict, err := kjson.UnmarshalStrict(d.Text, &p.value); err == nil {
		p.twice = twiceInJSON(strict)
		return p, nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(d.Text))
	decoder.SetStrict(true)
	var tree any
	err = decoder.Decode(&tree)
	if err == io.EOF {
		return p, nil
	}
	if seen := (*yaml.TypeError)(nil); errors.As(err, &seen) {
		p.twice = d.twiceInYAML()
		err = yaml.Unmarshal(d.Text, &tree)
	}
	if err == nil {
		p.value, err = asJSON(tree)
	}
	if err != nil {
		return parsed{}, d.explain(err)
	}
	if err := decoder.Decode(new(any)); err != io.EOF {
		p.rest = d.moreThanOne(err)
	}
	return p, nil
}

func (d Document) firstLine() []byte {
	line, _, _ := bytes.Cut(d.Text, []byte("\n"))
	return line
}

// afterTheEnd returns an error if anything but comments stands between "..." and
// the next "---".
func (d Document) afterTheEnd() error {
	decoder := yaml.NewDecoder(bytes.NewReader(d.Text[len("..."):]))
	for {
		var tree any
		switch err := decoder.Decode(&tree); {
		case err == io.EOF:
			return nil
		case err != nil || tree != nil:
			return fmt.Errorf("line %d: nothing is read between ... and the next line --- (nor does kubectl read it, or say so): write --- in place of ...", d.Line)
		}
	}
}

// moreThanOne is the error of a document after whose end there is something, which
// is no document (problem says why) or another one (problem is nil).
func (d Document) moreThanOne(problem error) error {
	const remedy = "is not read (nor does kubectl read it, or say so): write --- before it, on a line of its own that ends with LF or CRLF"
	if problem == nil {
		return fmt.Errorf("from line %d on: there is a second document, which %s", d.Line, remedy)
	}
	where, _, _ := strings.Cut(d.explain(problem).Error(), ":")
	return fmt.Errorf("%s: what stands here after the end of a document %s", where, remedy)
}

var lineNumber = regexp.MustCompile(`\bline (\d+)`)

// fromParser matches the errors whose line is one too low: YAML's parser counts
// from 0, its scanner from 1.
var fromParser = regexp.MustCompile(`did not find expected (?:<|key|node|'-'|',')`)

// template matches what a template has in it as long as nobody has rendered it.
var template = regexp.MustCompile(`\{\{[^\n]*?\}\}`)

// explain makes a parser's error one line whose line numbers are the file's.
func (d Document) explain(err error) error {
	if at := template.FindIndex(d.Text); at != nil {
		return fmt.Errorf("line %d: %s looks like part of a template; render that (helm template, say) and write what comes of it",
			d.lineAt(at[0]), d.Text[at[0]:at[1]])
	}
	if at := notUTF8(d.Text); at >= 0 {
		return fmt.Errorf("line %d: this is not text in UTF-8: save the file as UTF-8", d.lineAt(at))
	}
	text := lineNumber.ReplaceAllStringFunc(err.Error(), func(match string) string {
		n, _ := strconv.Atoi(match[len("line "):])
		if fromParser.MatchString(err.Error()) && n < d.lines() {
			n++
		}
		return fmt.Sprintf("line %d", n+d.Line-1)
	})
	text = strings.TrimPrefix(text, "yaml: ")
	if !lineNumber.MatchString(text) {
		text = fmt.Sprintf("from line %d on: %s", d.Line, text)
	}
	return errors.New(strings.Join(strings.Fields(text), " "))
}

// lines returns how many lines the document has.
func (d Document) lines() int {
	return bytes.Count(bytes.TrimSuffix(d.Text, []byte("\n")), []byte("\n")) + 1
}

// lineAt returns the line of the file on which a byte of Text stands.
func (d Document) lineAt(offset int) int { return d.Line + bytes.Count(d.Text[:offset], []byte("\n")) }
