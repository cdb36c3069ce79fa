package files

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// statusOf is a site's status with conditions in order, such as "True", "False
// PortNotFound", "Unknown". Ready follows from the others.
func statusOf(name string, generation int64, conditions ...string) sitestatus.Status {
	s := sitestatus.Status{Site: siteKey(name), Generation: generation, Proxies: 2, Domains: []string{name + ".example.com"}}
	ready := "True"
	for i, text := range conditions {
		status, reason, _ := strings.Cut(text, " ")
		s.Conditions = append(s.Conditions, sitestatus.Condition{Type: v1alpha1.Conditions[i], Status: status, Reason: reason, Message: "because"})
		if status != "True" && ready != "False" {
			ready = status
		}
	}
	s.Conditions = append(s.Conditions, sitestatus.Condition{Type: v1alpha1.ConditionReady, Status: ready})
	return s
}

// teller is a status whose time and input a test decides.
type teller struct {
	*testing.T
	*Status
	logs *observer.ObservedLogs
}

func newTeller(t *testing.T) *teller {
	core, logs := observer.New(zap.InfoLevel)
	s, err := NewStatus(NewSource(t.TempDir(), zap.NewNop()), nil, "", zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	return &teller{t, s, logs}
}

func (l *teller) notice(name string, n notice) { l.source.notices.Put(siteKey(name), n) }

func (l *teller) status(after time.Duration, statuses ...sitestatus.Status) {
	all := make(map[object.Key]sitestatus.Status)
	for _, s := range statuses {
		all[s.Site] = s
	}
	l.take(all, start.Add(after))
}

// expect compares the lines logged since the last call.
func (l *teller) expect(want ...string) {
	l.Helper()
	var got []string
	for _, entry := range l.logs.TakeAll() {
		line := entry.Message
		for _, field := range entry.Context {
			line += fmt.Sprintf(" %s=%v", field.Key, entry.ContextMap()[field.Key])
		}
		got = append(got, line)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.Fatalf("lines -want +got:\n%s", diff)
	}
}

func TestALineForEachChange(t *testing.T) {
	l := newTeller(t)
	l.notice("a", notice{at: start, generation: 1})
	l.status(0, statusOf("a", 1, "True", "True", "Unknown Pending"))
	l.expect()
	l.status(40*time.Millisecond, statusOf("a", 1, "True", "True", "True"))
	l.expect("site live site=docs/a domain=a.example.com proxies=2 after=40ms")

	// Proxies that come and go are not a person's doing.
	l.status(time.Second, statusOf("a", 1, "True", "True", "Unknown NoProxies"))
	l.status(time.Minute, statusOf("a", 1, "True", "True", "True"))
	l.expect()

	l.notice("a", notice{at: start.Add(time.Hour), generation: 2})
	l.status(time.Hour, statusOf("a", 1, "True", "True", "True")) // this is still about the one before
	l.expect()
	l.status(time.Hour+time.Second, statusOf("a", 2, "True", "True", "True"))
	l.expect("site live site=docs/a domain=a.example.com proxies=2 after=1s")

	l.notice("a", notice{at: start.Add(2 * time.Hour), gone: true})
	l.status(2*time.Hour+time.Second, sitestatus.Status{Site: siteKey("a"), Gone: true, Proxies: 2})
	l.expect("site gone site=docs/a domain=a.example.com proxies=2 after=1s")
	if len(l.sites)+len(l.notices) > 0 {
		t.Errorf("%d sites and %d notices are left", len(l.sites), len(l.notices))
	}
}

func TestALineForEachProblemAndItsEnd(t *testing.T) {
	l := newTeller(t)
	l.notice("a", notice{at: start, generation: 1})
	l.source.places.Put(siteKey("a"), "sites/a.yaml")
	missing := statusOf("a", 1, "True", "False ServiceNotFound", "True")
	l.status(0, missing)
	l.expect("site has a problem file=sites/a.yaml site=docs/a condition=ResolvedRefs reason=ServiceNotFound message=because")
	l.status(time.Second, missing)
	l.expect()
	l.status(time.Second, statusOf("a", 1, "True", "False PortNotFound", "True"))
	l.expect("site has a problem file=sites/a.yaml site=docs/a condition=ResolvedRefs reason=PortNotFound message=because")
	l.status(time.Minute, statusOf("a", 1, "True", "True", "Unknown Pending"))
	l.expect()
	l.status(time.Minute, statusOf("a", 1, "True", "True", "True"))
	l.expect("site live site=docs/a domain=a.example.com proxies=2") // how long it took was the person's time

	l.notice("a", notice{at: start.Add(time.Hour), generation: 2})
	l.status(time.Hour, statusOf("a", 2, "False InvalidDomain", "True", "False NotSent"))
	l.expect("site has a problem file=sites/a.yaml site=docs/a condition=Accepted reason=InvalidDomain message=because")
	l.notice("a", notice{at: start.Add(2 * time.Hour), generation: 3})
	l.status(2*time.Hour+time.Second, statusOf("a", 3, "True", "True", "True"))
	l.expect("site live site=docs/a domain=a.example.com proxies=2 after=1s")
}

func TestManyAtOnceAreOneLine(t *testing.T) {
	l := newTeller(t)
	var all, gone []sitestatus.Status
	for i := range atOnce + 1 {
		name := fmt.Sprintf("s%d", i)
		l.notice(name, notice{at: start.Add(time.Duration(i) * time.Second), generation: 1})
		all = append(all, statusOf(name, 1, "True", "True", "True"))
		gone = append(gone, sitestatus.Status{Site: siteKey(name), Gone: true})
	}
	l.status(time.Minute, all...)
	l.expect("sites live sites=21 after=1m0s")
	l.status(time.Minute, gone...)
	l.expect("sites gone sites=21 after=0s")
}

// Held is to files what status.domains is to a cluster.
func TestWhatASiteHoldsGoesBackToTheSource(t *testing.T) {
	f := open(t, "a.yaml", siteText("a", "a.example.com"))
	f.until("a=a.example.com")
	wanted := latest.New[object.Key, sitestatus.Status]()
	run(t, f.source, wanted, "")
	wanted.Put(siteKey("a"), statusOf("a", 1, "True", "True", "True"))
	ref := object.Ref{Kind: object.KindSite, Key: siteKey("a")}
	for deadline := time.After(20 * time.Second); ; {
		select {
		case <-f.source.Changes().Ready():
		case <-deadline:
			t.Fatal("the source was not told")
		}
		if site, ok := f.source.Changes().Take()[ref].(*object.Site); ok {
			if !slices.Equal(site.Held, []string{"a.example.com"}) {
				t.Errorf("holds %v, want a.example.com", site.Held)
			}
			return
		}
	}
}

// run runs a status until the test ends.
func run(t *testing.T, source *Source, wanted *latest.Map[object.Key, sitestatus.Status], path string) {
	t.Helper()
	runLogged(t, source, wanted, path, zap.NewNop())
}

func runLogged(t *testing.T, source *Source, wanted *latest.Map[object.Key, sitestatus.Status], path string, log *zap.Logger) {
	t.Helper()
	s, err := NewStatus(source, wanted, path, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

func TestTheStatusFile(t *testing.T) {
	wanted := latest.New[object.Key, sitestatus.Status]()
	folder := t.TempDir()
	path := filepath.Join(folder, "status.json")
	if err := os.WriteFile(path, []byte("of a run before"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, NewSource(t.TempDir(), zap.NewNop()), wanted, path)
	untilFile(t, path, "")
	wanted.Put(siteKey("b"), statusOf("b", 1, "True", "True", "True"))
	wanted.Put(siteKey("a"), statusOf("a", 3, "False InvalidDomain", "True", "True"))
	rows := untilFile(t, path, "docs/a 3 False; docs/b 1 True; ")
	first := rows[0].Conditions[0].LastTransitionTime
	wanted.Put(siteKey("a"), statusOf("a", 4, "False InvalidBackend", "True", "True"))
	rows = untilFile(t, path, "docs/a 4 False; docs/b 1 True; ")
	if !rows[0].Conditions[0].LastTransitionTime.Equal(&first) || first.IsZero() {
		t.Errorf("Accepted was False since %v and is so since %v", first, rows[0].Conditions[0].LastTransitionTime)
	}
	wanted.Put(siteKey("a"), sitestatus.Status{Site: siteKey("a"), Gone: true})
	untilFile(t, path, "docs/b 1 True; ")
	if names, _ := os.ReadDir(folder); len(names) != 1 {
		t.Errorf("left beside the status file: %v", names)
	}
}

// A disk that is full for a while, or a folder that is mounted late: what could not
// be written then is written as soon as it can be, without another change.
func TestAStatusFileIsWrittenAgain(t *testing.T) {
	wanted := latest.New[object.Key, sitestatus.Status]()
	folder := filepath.Join(t.TempDir(), "mounted")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "status.json")
	core, logs := observer.New(zap.InfoLevel)
	runLogged(t, NewSource(t.TempDir(), zap.NewNop()), wanted, path, zap.New(core))
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	wanted.Put(siteKey("a"), statusOf("a", 1, "True", "True", "True"))
	for deadline := time.Now().Add(20 * time.Second); logs.FilterMessage("cannot write the status file, trying again until it works").Len() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was logged")
		}
	}
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	untilFile(t, path, "docs/a 1 True; ")
}

// untilFile waits until the status file says this of each site.
func untilFile(t *testing.T, path, want string) []row {
	t.Helper()
	var said string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var rows []row
		if err := json.Unmarshal(text, &rows); err != nil && string(text) != "of a run before" {
			t.Fatalf("half a file: %s", text)
		} else if err != nil {
			continue
		}
		said = ""
		for _, r := range rows {
			said += fmt.Sprintf("%s/%s %d %s; ", r.Namespace, r.Name, r.ObservedGeneration, r.Conditions[0].Status)
		}
		if said == want {
			return rows
		}
	}
	t.Fatalf("the file says %q, want %q", said, want)
	return nil
}

func TestAStatusFileThatCannotBeWrittenIsRefused(t *testing.T) {
	folder := t.TempDir()
	for _, path := range []string{filepath.Join(folder, "none", "status.json"), folder} {
		_, err := NewStatus(NewSource(t.TempDir(), zap.NewNop()), nil, path, zap.NewNop())
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "name a file in a folder that exists") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestAStatusFileAmongTheSitesIsRefused(t *testing.T) {
	folder := t.TempDir()
	for path, fine := range map[string]bool{
		filepath.Join(folder, "status.json"):       false,
		filepath.Join(folder, "deep", "s.yaml"):    false,
		filepath.Join(folder, "status.txt"):        true,
		filepath.Join(folder, ".status.json"):      true,
		filepath.Join(folder, "..", "status.json"): true,
	} {
		_, err := NewStatus(NewSource(folder, zap.NewNop()), nil, path, zap.NewNop())
		if (err == nil) != fine {
			t.Errorf("%s: error %v", path, err)
		}
	}
}
