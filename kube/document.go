package kube

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// Document is one YAML (or JSON) document of a file.
type Document struct {
	Line int // the line of the file on which Text starts, from 1
	Text []byte
}

// Split cuts a file into its documents. A line that starts with "---" always
// separates documents in YAML, even inside a block of text, so no parser is
// needed, and one broken document costs only itself.
func Split(file []byte) []Document {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")) // a byte order mark
	var documents []Document
	current := Document{Line: 1}
	line, start := 1, 0
	for rest := file; len(rest) > 0; line++ {
		text, after, _ := bytes.Cut(rest, []byte("\n"))
		here := len(file) - len(rest)
		if isSeparator(text) && here > start {
			current.Text = file[start:here]
			documents = append(documents, current)
			current, start = Document{Line: line}, here
		}
		rest = after
	}
	current.Text = file[start:]
	return append(documents, current)
}

func isSeparator(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	return found && (len(rest) == 0 || strings.ContainsRune(" \t\r", rune(rest[0])))
}

// parse returns the value that the document holds, nil if it holds none, and a
// problem for each key that is written twice: of those the value has the last
// one. The error is about text that is not YAML, of which JSON is a part.
func (d Document) parse() (value any, twice []string, err error) {
	text, strict := yaml.YAMLToJSONStrict(d.Text)
	if strict != nil {
		if text, err = yaml.YAMLToJSON(d.Text); err != nil {
			return nil, nil, d.explain(err)
		}
		twice = d.duplicates(strict)
	}
	// Unlike encoding/json it keeps whole numbers whole, as client-go does.
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &value); err != nil {
		return nil, nil, d.explain(err)
	}
	return value, twice, nil
}

var lineNumber = regexp.MustCompile(`\bline (\d+)`)

// template matches what a template has in it as long as nobody has rendered it.
var template = regexp.MustCompile(`\{\{[^\n]*?\}\}`)

// explain makes a parser's error one line whose line numbers are the file's.
func (d Document) explain(err error) error {
	if at := template.FindIndex(d.Text); at != nil {
		return fmt.Errorf("line %d: %s looks like part of a template; render that (helm template, say) and write what comes of it",
			d.Line+bytes.Count(d.Text[:at[0]], []byte("\n")), d.Text[at[0]:at[1]])
	}
	text := lineNumber.ReplaceAllStringFunc(err.Error(), func(match string) string {
		n, _ := strconv.Atoi(match[len("line "):])
		return fmt.Sprintf("line %d", n+d.Line-1)
	})
	text = strings.TrimPrefix(strings.TrimPrefix(text, "error converting YAML to JSON: "), "yaml: ")
	if !lineNumber.MatchString(text) {
		text = fmt.Sprintf("from line %d on: %s", d.Line, text)
	}
	return errors.New(strings.Join(strings.Fields(text), " "))
}

var alreadySet = regexp.MustCompile(`line (\d+): key (.+) already set in map`)

// duplicates turns the strict parser's error into a problem for each key.
func (d Document) duplicates(strict error) []string {
	var problems []string
	for _, match := range alreadySet.FindAllStringSubmatch(strict.Error(), -1) {
		n, _ := strconv.Atoi(match[1])
		problems = append(problems, fmt.Sprintf("line %d: the key %s is written twice; remove one", n+d.Line-1, match[2]))
	}
	if len(problems) == 0 {
		problems = append(problems, d.explain(strict).Error())
	}
	return problems
}
