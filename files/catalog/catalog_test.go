package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"my-company.com/staticsite-operator/object"
)

// siteText is a document with one StaticSite.
func siteText(name, domain string) string {
	return fmt.Sprintf(`---
apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {name: %s, namespace: docs}
spec: {domain: %s, backend: {serviceName: web, servicePort: 80}}
`, name, domain)
}

func siteKey(name string) object.Key { return object.Key{Namespace: "docs", Name: name} }

// play drives a catalog and follows what a consumer of its changes has.
type play struct {
	*testing.T
	c        *Catalog
	now      time.Time
	served   map[string]string // domain by name of site
	changing string            // a file that is another than was read
	problems []string          // since the last call of expectProblems
	batches  int               // takes that changed something
}

func newPlay(t *testing.T) *play {
	return &play{T: t, c: New(), now: time.Unix(1000, 0), served: make(map[string]string)}
}

func (p *play) put(path string, texts ...string) {
	p.note(p.c.Put(path, []byte(strings.Join(texts, "")), p.now))
	p.settle()
}

func (p *play) remove(path string) {
	p.c.Remove(path, p.now)
	p.settle()
}

func (p *play) pass(d time.Duration) {
	p.now = p.now.Add(d)
	p.c.Expire(p.now, func(path string) bool { return path != p.changing })
	p.settle()
}

func (p *play) settle() {
	changes, problems := p.c.Take()
	p.note(problems)
	if len(changes) > 0 {
		p.batches++
	}
	for ref, change := range changes {
		if site, ok := change.Object.(*object.Site); ok {
			p.served[ref.Key.Name] = site.Domain
		} else {
			delete(p.served, ref.Key.Name)
		}
	}
	if p.c.sites != len(p.served) {
		p.Errorf("the catalog counts %d sites, %d are served", p.c.sites, len(p.served))
	}
}

func (p *play) note(problems []Problem) {
	for _, problem := range problems {
		p.problems = append(p.problems, problem.Error())
	}
}

// expect compares what is served with name=domain pairs.
func (p *play) expect(pairs ...string) {
	p.Helper()
	got := []string{}
	for _, name := range slices.Sorted(maps.Keys(p.served)) {
		got = append(got, name+"="+p.served[name])
	}
	if diff := cmp.Diff(append([]string{}, pairs...), got); diff != "" {
		p.Fatalf("served -want +got:\n%s", diff)
	}
}

// expectProblems compares the problems since the last call with parts of them.
func (p *play) expectProblems(parts ...string) {
	p.Helper()
	if len(p.problems) != len(parts) {
		p.Fatalf("problems %q, want %q", p.problems, parts)
	}
	for i, part := range parts {
		if !strings.Contains(p.problems[i], part) {
			p.Errorf("problem %q, want %q in it", p.problems[i], part)
		}
	}
	p.problems = nil
}

func TestWhatHappensToAFileHappensToItsSites(t *testing.T) {
	p := newPlay(t)
	p.put("f", siteText("a", "a.example.com"), siteText("b", "b.example.com"))
	p.expect("a=a.example.com", "b=b.example.com")
	p.put("f", siteText("a", "a.example.org"), siteText("b", "b.example.com"), siteText("c", "c.example.com"))
	p.expect("a=a.example.org", "b=b.example.com", "c=c.example.com")
	p.put("f", siteText("b", "b.example.com"))
	p.pass(doubt)
	p.expect("b=b.example.com")
	p.remove("f")
	p.pass(patience)
	p.expect()
	if p.batches != 4 {
		t.Errorf("%d batches, want one for each of the 4 edits", p.batches)
	}
	p.expectProblems()
	if len(p.c.files)+len(p.c.copies)+len(p.c.away) != 0 {
		t.Errorf("something is left of what is gone: %d files, %d copies, %d away", len(p.c.files), len(p.c.copies), len(p.c.away))
	}
}

func TestAMistakeCostsNothingThatWasGood(t *testing.T) {
	good := siteText("a", "a.example.com") + siteText("b", "b.example.com")
	for name, broken := range map[string]string{
		"not YAML at all":    "{{{{",
		"half a document":    good[:len(good)-40],
		"one unknown field":  strings.Replace(good, "domain: a.", "domian: a.", 1),
		"one wrong type":     strings.Replace(good, "servicePort: 80", "servicePort: http", 1),
		"one misspelt kind":  strings.Replace(good, "kind: StaticSite", "kind: StaticSites", 1),
		"one lost its name":  strings.Replace(good, "{name: a, ", "{", 1),
		"one lost its kind":  strings.Replace(good, "kind: StaticSite", "#", 1),
		"one is no mapping":  strings.Replace(good, siteText("a", "a.example.com"), "---\njust text\n", 1),
		"one key is twice":   strings.Replace(good, "spec: {", "spec: {domain: x.example.com, ", 1),
		"an unfinished list": "kind: List\nitems: 5\n",

		// What kubectl would pass over without a word.
		"the rest after ...":              strings.Replace(good, siteText("b", "b.example.com"), strings.Replace(siteText("b", "b.example.com"), "---", "...", 1), 1),
		"a list lost its items":           "apiVersion: v1\nkind: List\nitem: []\n",
		"separators that end with CR":     strings.ReplaceAll(good, "---\n", "\r---\r"),
		"two on one line":                 "{kind: StaticSite} {kind: StaticSite}",
		"UTF-16 that says nothing of it":  strings.ReplaceAll(good, "", "\x00")[1:],
		"JSON that is cut between values": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "docs"}},` + "\n",
	} {
		p := newPlay(t)
		p.put("f", good)
		p.put("f", broken)
		p.pass(time.Hour)
		if p.expect("a=a.example.com", "b=b.example.com"); len(p.problems) == 0 {
			t.Errorf("%s: no problem reported", name)
		}
		p.put("f", good)
		p.expect("a=a.example.com", "b=b.example.com")
		if p.batches != 1 {
			t.Errorf("%s: %d batches, want that of the start only", name, p.batches)
		}
	}
}

// What stands before the place where reading has to end is applied, what stood
// behind it goes on being served.
func TestWhatIsBeforeTheEndApplies(t *testing.T) {
	p := newPlay(t)
	p.put("f", siteText("a", "a.example.com"), siteText("b", "b.example.com"))
	p.put("f", siteText("a", "a.example.org"), "...\n", strings.TrimPrefix(siteText("b", "b.example.org"), "---\n"))
	p.pass(time.Hour)
	p.expect("a=a.example.org", "b=b.example.com")
	p.expectProblems("f: line 6: nothing is read between ... and the next line ---")
	p.put("f", siteText("a", "a.example.org"), "...\n", siteText("b", "b.example.org"))
	p.expect("a=a.example.org", "b=b.example.org")
	p.expectProblems()
}

// As `jq '.items[]'` prints them and `cat *.json` joins them.
func TestJSONValuesBackToBackAreDocuments(t *testing.T) {
	value := func(name string) string {
		return fmt.Sprintf(`{"apiVersion": "platform.my-company.com/v1alpha1", "kind": "StaticSite", "metadata": {"name": %q, "namespace": "docs"}, "spec": {"domain": "%s.example.com", "backend": {"serviceName": "web", "servicePort": 80}}}`, name, name)
	}
	p := newPlay(t)
	p.put("f", value("a"), "\n", value("b"), value("c"))
	p.expect("a=a.example.com", "b=b.example.com", "c=c.example.com")
	p.put("f", value("a"), "\n", value("c"))
	p.pass(doubt)
	p.expect("a=a.example.com", "c=c.example.com")
	p.expectProblems()
}

func TestOtherDocumentsOfABrokenFileApply(t *testing.T) {
	p := newPlay(t)
	p.put("f", siteText("a", "a.example.com"), siteText("b", "b.example.com"))
	p.put("f", siteText("a", "5"), siteText("b", "b.example.org"), siteText("c", "c.example.com"))
	p.expect("a=a.example.com", "b=b.example.org", "c=c.example.com")
	p.expectProblems("f: StaticSite docs/a: spec.domain: write a host name such as docs.example.com, not 5")
}

// What is left of a file that was cut mostly ends in a mistake, and so a mistake
// of any object may be about another. Things that are not ours are no mistake.
func TestWhatIsGoneFromAFileIsGoneWhenTheFileHasNoMistake(t *testing.T) {
	const other = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: docs}\n"
	p := newPlay(t)
	p.put("f", siteText("a", "a.example.com"), siteText("b", "b.example.com"))
	p.put("f", siteText("a", "5"), other)
	p.pass(time.Hour)
	p.expect("a=a.example.com", "b=b.example.com")
	p.put("f", siteText("a", "a.example.com"), other)
	p.pass(doubt)
	p.expect("a=a.example.com")
}

// A namespace that lost its labels would be another to every policy.
func TestAMistakeInANamespaceDoesNotEndIt(t *testing.T) {
	const good = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: docs, labels: {team: docs}}\n"
	p := newPlay(t)
	p.put("f", good, siteText("a", "a.example.com"))
	p.put("f", strings.Replace(good, "{team: docs}", "docs", 1), siteText("a", "a.example.com"))
	p.pass(time.Hour)
	namespace := object.Ref{Kind: object.KindNamespace, Key: object.Key{Name: "docs"}}
	if p.c.served[namespace].object == nil {
		t.Error("the namespace is gone")
	}
}

// A file may be cut at any byte, and be written on at any time after that: what
// it had goes only once it has stood still, and what it has is never a form that
// nobody wrote... but for a last line that is cut in its middle.
func TestAFileThatIsCutLosesNothing(t *testing.T) {
	good := siteText("a", "a.example.com") + siteText("b", "b.example.com") + siteText("c", "c.example.com")
	for cut := range len(good) {
		p := newPlay(t)
		p.put("f", good)
		p.put("f", good[:cut])
		p.pass(doubt - time.Millisecond)
		p.expect("a=a.example.com", "b=b.example.com", "c=c.example.com")
		p.put("f", good[:cut]+good[cut:min(len(good), cut+10)]) // the writer goes on
		p.pass(doubt - time.Millisecond)
		p.expect("a=a.example.com", "b=b.example.com", "c=c.example.com")
		p.put("f", good)
		p.pass(time.Hour)
		p.expect("a=a.example.com", "b=b.example.com", "c=c.example.com")
		if p.batches != 1 {
			t.Errorf("cut at %d: %d batches, want that of the start only", cut, p.batches)
		}
	}
}

// The events of a change may be late: what was read is not believed when the file
// is another by now.
func TestAFileThatChangesUnnoticedLosesNothing(t *testing.T) {
	p := newPlay(t)
	p.put("f", siteText("a", "a.example.com"), siteText("b", "b.example.com"))
	p.put("f", siteText("a", "a.example.com"))
	p.changing = "f"
	p.pass(time.Hour)
	p.expect("a=a.example.com", "b=b.example.com")
	p.changing = ""
	p.pass(time.Hour)
	p.expect("a=a.example.com")
}

func TestAProblemIsReportedOnce(t *testing.T) {
	p := newPlay(t)
	bad := siteText("a", "5")
	p.put("f", bad)
	p.expectProblems("not 5")
	p.put("f", bad)
	p.put("f", bad+"# a comment\n")
	p.expectProblems()
	p.put("f", siteText("a", "6"))
	p.expectProblems("not 6")
	p.put("f", siteText("a", "a.example.com"))
	p.put("f", bad)
	p.expectProblems("not 5") // it was mended in between
}

func TestAFileThatCannotBeReadKeepsItsObjects(t *testing.T) {
	p := newPlay(t)
	p.put("f", siteText("a", "a.example.com"))
	for range 2 {
		p.note(p.c.Fail("f", errors.New("permission denied"), p.now))
		p.pass(time.Hour)
	}
	p.expect("a=a.example.com")
	p.expectProblems("f: cannot be read: permission denied")
}

// Editors and version control take a file away to put another one there.
func TestWhatComesBackInTimeWasNeverAway(t *testing.T) {
	for name, away := range map[string]func(*play){
		"removed":       func(p *play) { p.remove("f") },
		"emptied":       func(p *play) { p.put("f", "") },
		"only comments": func(p *play) { p.put("f", "# to be written\n") },
		"without it":    func(p *play) { p.put("f", siteText("b", "b.example.com")) },
	} {
		p := newPlay(t)
		all := []string{siteText("a", "a.example.com"), siteText("b", "b.example.com")}
		p.put("f", all...)
		away(p)
		p.pass(patience - time.Millisecond)
		p.put("f", all...)
		p.pass(time.Hour)
		p.expect("a=a.example.com", "b=b.example.com")
		if p.batches != 1 {
			t.Errorf("%s: %d batches, want that of the start only", name, p.batches)
		}
	}
}

func TestARenamedFileIsNoChange(t *testing.T) {
	p := newPlay(t)
	p.put("f", siteText("a", "a.example.com"))
	p.c.Remove("f", p.now)
	p.put("g", siteText("a", "a.example.com"))
	p.pass(time.Hour)
	p.put("g", siteText("a", "a.example.org"))
	p.expect("a=a.example.org")
	p.expectProblems()
	if p.batches != 2 {
		t.Errorf("%d batches, want those of the start and of the edit", p.batches)
	}
}

func TestOfDuplicatesTheFirstByPathIsServed(t *testing.T) {
	p := newPlay(t)
	for _, path := range []string{"h", "f", "g"} {
		p.c.Put(path, []byte(siteText("a", path+".example.com")), p.now)
	}
	p.settle()
	p.expect("a=f.example.com")
	p.expectProblems("g: StaticSite docs/a: is in f already", "h: StaticSite docs/a: is in f already")
}

func TestANewDuplicateDisplacesNothing(t *testing.T) {
	p := newPlay(t)
	p.put("f", siteText("a", "f.example.com"))
	p.put("e", siteText("a", "e.example.com"))
	p.expect("a=f.example.com")
	p.expectProblems("e: StaticSite docs/a: is in f already, and served from there; remove one of the two")
	p.put("e", siteText("a", "e.example.org"))
	p.put("f", siteText("a", "f.example.org"))
	p.expect("a=f.example.org")
	p.expectProblems() // the same one

	p.remove("f") // another has it, so there is nothing to wait for
	p.expect("a=e.example.org")
	p.put("f", siteText("a", "f.example.org"))
	p.expect("a=e.example.org")
	p.expectProblems("f: StaticSite docs/a: is in e already")
}

func TestDuplicatesInOneFile(t *testing.T) {
	p := newPlay(t)
	p.put("f", siteText("a", "one.example.com"), siteText("a", "two.example.com"))
	p.expect("a=one.example.com")
	p.expectProblems("f: StaticSite docs/a: is in this file more than once; remove all but one")
	p.put("f", siteText("a", "zero.example.com"), siteText("a", "one.example.com"))
	p.expect("a=one.example.com") // it was served before
}

func TestGenerationsRiseWithTheSpecificationOnly(t *testing.T) {
	c, now := New(), time.Unix(1000, 0)
	ref := object.Ref{Kind: object.KindSite, Key: siteKey("a")}
	site := func() *object.Site {
		t.Helper()
		changes, _ := c.Take()
		site, ok := changes[ref].Object.(*object.Site)
		if !ok {
			t.Fatalf("changes %v, want site a", changes)
		}
		return site
	}
	c.Put("f", []byte(siteText("a", "a.example.com")), now)
	if got := site(); got.Generation != 1 || got.Held != nil || !got.Created.IsZero() {
		t.Errorf("at first: %+v", got)
	}
	c.Hold(siteKey("a"), []string{"a.example.com"}, now)
	if got := site(); got.Generation != 1 || !slices.Equal(got.Held, []string{"a.example.com"}) {
		t.Errorf("after a claim: %+v", got)
	}
	c.Hold(siteKey("a"), []string{"a.example.com"}, now)
	if changes, _ := c.Take(); len(changes) != 0 {
		t.Errorf("the same claim is a change: %v", changes)
	}
	c.Put("f", []byte(siteText("a", "a.example.org")), now)
	if got := site(); got.Generation != 2 || len(got.Held) != 1 {
		t.Errorf("after an edit: %+v", got)
	}
	c.Remove("f", now)
	c.Expire(now.Add(doubt), func(string) bool { return true })
	if changes, _ := c.Take(); len(changes) != 1 || changes[ref].Object != nil {
		t.Errorf("after deletion: %v", changes)
	}
	c.Hold(siteKey("a"), []string{"a.example.org"}, now) // a status that came late
	c.Put("f", []byte(siteText("a", "a.example.com")), now)
	if got := site(); got.Generation != 3 || got.Held != nil {
		t.Errorf("made anew: %+v", got)
	}
}

func TestUnchangedDocumentsAreNotDecodedAgain(t *testing.T) {
	text := siteText("a", "a.example.com") + siteText("b", "b.example.com")
	before := read("f", []byte(text), nil)
	after := read("f", []byte(strings.Replace(text, "b.example.com", "b.example.org", 1)), before.decoded)
	a, b := object.Ref{Kind: object.KindSite, Key: siteKey("a")}, object.Ref{Kind: object.KindSite, Key: siteKey("b")}
	if before.objects[a][0] != after.objects[a][0] {
		t.Error("site a was decoded again")
	}
	if after.objects[b][0].(*object.Site).Domain != "b.example.org" {
		t.Error("site b was not")
	}
}
