package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/files"
	"my-company.com/staticsite-operator/object"
)

// TestFilesAreReadAsKubectlReadsThem: of each file the same objects are read as
// kubectl reads, with the same domains, or something is said, with a line.
func TestFilesAreReadAsKubectlReadsThem(t *testing.T) {
	ctx := bounded(t, time.Minute)
	site := func(name string) string { return siteYAML("docs", name, name+".example.com", "web", 80) }
	inJSON := func(name string) string {
		return fmt.Sprintf(`{"apiVersion": "platform.my-company.com/v1alpha1", "kind": "StaticSite", "metadata": {"name": %q, "namespace": "docs"}, `+
			`"spec": {"domain": "%s.example.com", "backend": {"serviceName": "web", "servicePort": 80}}}`, name, name)
	}
	both, folder := site("a")+"---\n"+site("b"), t.TempDir()
	for name, file := range map[string]struct {
		text string
		read string // the sites, by both
		says string // by us; empty: nothing, since nothing is lost
	}{
		"two documents":         {both, "a b", ""},
		"CRLF":                  {strings.ReplaceAll(both, "\n", "\r\n"), "a b", ""},
		"a byte order mark":     {"\ufeff" + both, "a b", ""},
		"UTF-16, little end":    {inUTF16(both, 0), "a b", ""},
		"UTF-16, big end":       {inUTF16(both, 1), "a b", ""},
		"JSON back to back":     {inJSON("a") + inJSON("b"), "a b", ""},
		"JSON line by line":     {inJSON("a") + "\n" + inJSON("b") + "\n", "a b", ""},
		"JSON, then YAML":       {inJSON("a") + "\n---\n" + site("b"), "a b", ""},
		"JSON with a face":      {strings.Replace(inJSON("a"), `"name"`, `"annotations": {"face": "\ud83d\ude00"}, "name"`, 1), "a", ""},
		"the end of a document": {site("a") + "...\n---\n" + site("b"), "a b", ""},
		"after the end":         {site("a") + "...\n" + site("b"), "a", "line 7: nothing is read between ... and the next line ---"},
		"flow, back to back":    {"{apiVersion: platform.my-company.com/v1alpha1, kind: StaticSite, metadata: {name: a, namespace: docs}, spec: {domain: a.example.com, backend: {serviceName: web, servicePort: 80}}}\n" + inJSON("b"), "a", "line 2: what stands here after the end of a document is not read"},
		"CR alone":              {strings.ReplaceAll(both, "---\n", "\r---\r"), "a", "from line 1 on: there is a second document"},
		"line separators":       {strings.ReplaceAll(both, "\n---\n", "\u2028---\u2028"), "a", "from line 1 on: there is a second document"},
		"merge keys":            {"apiVersion: v1\nkind: List\nitems:\n- &a " + inJSON("a") + "\n- <<: *a\n  metadata: {name: b, namespace: docs}\n  spec: {domain: b.example.com, backend: {serviceName: web, servicePort: 80}}\n", "a b", ""},
		"a list of one kind":    {`{"apiVersion": "platform.my-company.com/v1alpha1", "kind": "StaticSiteList", "metadata": {"resourceVersion": "1"}, "items": [` + inJSON("a") + "," + strings.Replace(inJSON("b"), `"apiVersion": "platform.my-company.com/v1alpha1", "kind": "StaticSite", `, "", 1) + "]}", "a b", ""},
		"a key twice":           {strings.Replace(site("a"), "spec:", "spec:\n  domain: first.example.com", 1), "a", "spec.domain: is written twice"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, strings.Map(func(r rune) rune { return max(r, '-') }, name)+".yaml") // kubectl takes a comma for the next file
			must(t, os.WriteFile(path, []byte(file.text), 0o644))
			want := strings.Fields(file.read)
			if got, err := sitesByKubectl(ctx, t.TempDir(), path); err != nil && len(want) > 0 || !slices.Equal(got, want) {
				t.Errorf("kubectl reads %v (%v), the table says %v", got, err, want)
			}
			loaded, err := files.Load(path)
			must(t, err)
			var got []string
			for ref, o := range loaded.Objects {
				got = append(got, ref.Key.Name)
				if domain := o.(*object.Site).Domain; domain != ref.Key.Name+".example.com" {
					t.Errorf("the domain of %s is %s", ref.Key.Name, domain)
				}
			}
			slices.Sort(got)
			switch said := fmt.Sprint(loaded.Problems); {
			case file.says == "" && (len(loaded.Problems) > 0 || !slices.Equal(got, want)):
				t.Errorf("%v are read, want %v; said is %s", got, want, said)
			case !strings.Contains(said, file.says):
				t.Errorf("said is %s, want %q", said, file.says)
			}
		})
	}
}

// sitesByKubectl returns the names of what kubectl reads in a file. With --local it
// asks no server.
func sitesByKubectl(ctx context.Context, home, path string) (names []string, err error) {
	kubectl, err := parts.Find("kubectl")
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, kubectl, "label", "--local", "-f", path, "read=yes", "-o", "json")
	command.Env = []string{"HOME=" + home}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &stderr)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var object struct{ Metadata struct{ Name string } }
		if bad := decoder.Decode(&object); bad == io.EOF {
			return names, err
		} else if bad != nil {
			return names, bad
		}
		names = append(names, object.Metadata.Name)
	}
}

// inUTF16 has the high byte of each unit first or, if big is 0, last.
func inUTF16(text string, big int) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		pair := [2]byte{byte(unit), byte(unit >> 8)}
		out = append(out, pair[big], pair[1-big])
	}
	return string(out)
}
