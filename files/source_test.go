package files

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"my-company.com/staticsite-operator/object"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// folder is a folder of sites under a running source.
type folder struct {
	*testing.T
	path   string
	source *Source
	logs   *observer.ObservedLogs

	served map[string]string // domain by name of site
	gone   []string          // the sites that were handed over as gone, in order
	first  bool              // the first batch came
}

// open runs a source on a new folder with the given files (path, text, ...).
func open(t *testing.T, files ...string) *folder {
	f := newFolder(t, files...)
	f.run(f.path)
	return f
}

func newFolder(t *testing.T, files ...string) *folder {
	f := &folder{T: t, path: t.TempDir(), served: make(map[string]string)}
	for i := 0; i < len(files); i += 2 {
		f.write(files[i], files[i+1])
	}
	return f
}

// run runs a source on path until the test ends.
func (f *folder) run(path string) {
	core, logs := observer.New(zap.InfoLevel)
	f.logs, f.source = logs, NewSource(path, zap.New(core))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := f.source.Run(ctx); err != nil {
			f.Error(err)
		}
	})
	f.Cleanup(func() { stop(); running.Wait() })
}

func (f *folder) write(name, text string) {
	f.Helper()
	path := filepath.Join(f.path, name)
	f.must(os.MkdirAll(filepath.Dir(path), 0o755))
	f.must(os.WriteFile(path, []byte(text), 0o644))
}

func (f *folder) rename(from, to string) {
	f.Helper()
	f.must(os.Rename(filepath.Join(f.path, from), filepath.Join(f.path, to)))
}

func (f *folder) remove(name string) {
	f.Helper()
	f.must(os.RemoveAll(filepath.Join(f.path, name)))
}

func (f *folder) link(target, name string) {
	f.Helper()
	f.must(os.Symlink(target, filepath.Join(f.path, name)))
}

func (f *folder) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// take takes one batch.
func (f *folder) take() {
	f.first = true
	for ref, now := range f.source.Changes().Take() {
		if ref.Kind != object.KindSite {
			continue
		}
		if site, ok := now.(*object.Site); ok {
			f.served[ref.Key.Name] = site.Domain
		} else {
			delete(f.served, ref.Key.Name)
			f.gone = append(f.gone, ref.Key.Name)
		}
	}
}

// until waits until exactly these name=domain pairs are served.
func (f *folder) until(pairs ...string) {
	f.Helper()
	deadline := time.After(20 * time.Second)
	for !f.first || !slices.Equal(f.pairs(), pairs) {
		select {
		case <-f.source.Changes().Ready():
			f.take()
		case <-deadline:
			f.Fatalf("served %q, want %q", f.pairs(), pairs)
		}
	}
}

func (f *folder) pairs() []string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(f.served)) {
		pairs = append(pairs, name+"="+f.served[name])
	}
	return pairs
}

// untilLogged waits for a line with the message and these parts in its fields.
func (f *folder) untilLogged(message string, parts ...string) {
	f.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, entry := range f.logs.FilterMessage(message).All() {
			var text strings.Builder
			for key, value := range entry.ContextMap() {
				if s, ok := value.(string); ok {
					text.WriteString(key + "=" + s + "\n")
				}
			}
			if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text.String(), part) }) {
				return
			}
		}
	}
	f.Fatalf("no line %q with %q in %v", message, parts, f.logs.All())
}

func (f *folder) expectNothingGone() {
	f.Helper()
	if len(f.gone) > 0 {
		f.Errorf("gone in between: %v", f.gone)
	}
}

func TestTheFirstBatchIsTheWholeFolder(t *testing.T) {
	f := open(t, "a.yaml", siteText("a", "a.example.com"), "deep/er/b.yml", siteText("b", "b.example.com")+siteText("c", "c.example.com"))
	<-f.source.Changes().Ready()
	f.take()
	f.until("a=a.example.com", "b=b.example.com", "c=c.example.com")
}

func TestAnEmptyFolderIsServedAndReported(t *testing.T) {
	f := open(t)
	f.until()
	f.untilLogged("there are no sites in the folder: add a StaticSite", "folder="+f.path)
	f.write("a.yaml", siteText("a", "a.example.com"))
	f.until("a=a.example.com")
}

func TestAFolderThatCannotBeReadIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, file + "/below", t.TempDir() + "/missing"} {
		err := NewSource(path, zap.NewNop()).Run(context.Background())
		if err == nil || !strings.HasPrefix(err.Error(), "read sites: ") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

func TestFilesAreWatched(t *testing.T) {
	f := open(t, "a.yaml", siteText("a", "a.example.com"))
	f.until("a=a.example.com")
	f.write("a.yaml", siteText("a", "a.example.org"))
	f.until("a=a.example.org")
	f.write("new/folder/b.yaml", siteText("b", "b.example.com"))
	f.until("a=a.example.org", "b=b.example.com")
	f.write("new/folder/b.yaml", siteText("b", "b.example.org"))
	f.until("a=a.example.org", "b=b.example.org")
	f.write("new/folder/c.json", `{"apiVersion": "platform.my-company.com/v1alpha1", "kind": "StaticSite", "metadata": {"name": "c", "namespace": "docs"},
		"spec": {"domain": "c.example.com", "backend": {"serviceName": "web", "servicePort": 80}}}`)
	f.until("a=a.example.org", "b=b.example.org", "c=c.example.com")
	f.expectNothingGone()
	f.remove("new/folder/b.yaml")
	f.until("a=a.example.org", "c=c.example.com")
	f.remove("new")
	f.until("a=a.example.org")
}

func TestFoldersMove(t *testing.T) {
	f := open(t, "one/deep/a.yaml", siteText("a", "a.example.com"))
	f.until("a=a.example.com")
	f.rename("one", "two")
	f.write("two/deep/b.yaml", siteText("b", "b.example.com"))
	f.until("a=a.example.com", "b=b.example.com")
	f.write("two/deep/a.yaml", siteText("a", "a.example.org")) // the folder is watched under its new name
	f.until("a=a.example.org", "b=b.example.com")
	f.expectNothingGone()
	f.rename("two", "../"+filepath.Base(f.path)+".elsewhere")
	f.until()
	f.must(os.RemoveAll(f.path + ".elsewhere"))
}

func TestAFileInPlaceOfAFolderAndBack(t *testing.T) {
	f := open(t, "x.yaml/a.yaml", siteText("a", "a.example.com"))
	f.until("a=a.example.com")
	f.remove("x.yaml")
	f.write("x.yaml", siteText("b", "b.example.com"))
	f.until("b=b.example.com")
	f.remove("x.yaml")
	f.write("x.yaml/a.yaml", siteText("a", "a.example.com"))
	f.until("a=a.example.com")
}

// How editors save: none of it may be seen as a deletion, and what they leave
// lying about is no site.
func TestEditors(t *testing.T) {
	text := siteText("a", "a.example.com")
	saves := map[string]func(f *folder, text string){
		"vim, with a backup": func(f *folder, text string) {
			f.write("4913", "")
			f.remove("4913")
			f.write(".a.yaml.swp", siteText("swp", "swp.example.com"))
			f.rename("a.yaml", "a.yaml~")
			f.write("a.yaml", text)
			f.remove(".a.yaml.swp")
		},
		"emacs": func(f *folder, text string) {
			f.write("#a.yaml#", siteText("auto", "auto.example.com"))
			f.link("somebody@somewhere.1:2", ".#a.yaml")
			f.rename("a.yaml", "a.yaml~")
			f.write("a.yaml", text)
			f.remove("#a.yaml#")
			f.remove(".#a.yaml")
		},
		"a temporary file that is renamed": func(f *folder, text string) {
			f.write("a.yaml.tmp.1234", text)
			f.rename("a.yaml.tmp.1234", "a.yaml")
		},
		"sed -i": func(f *folder, text string) {
			f.write("sedAbCdEf", text)
			f.rename("sedAbCdEf", "a.yaml")
		},
		"in place, in pieces": func(f *folder, text string) {
			file, err := os.Create(filepath.Join(f.path, "a.yaml"))
			f.must(err)
			for _, piece := range []string{text[:len(text)/2], text[len(text)/2:]} {
				time.Sleep(settle / 3)
				_, err := file.WriteString(piece)
				f.must(err)
			}
			f.must(file.Close())
		},
		"delete and write anew": func(f *folder, text string) {
			f.remove("a.yaml")
			f.write("a.yaml", "")
			f.write("a.yaml", text[:len(text)-20])
			f.write("a.yaml", text)
		},
	}
	for name, save := range saves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, "a.yaml", text)
			f.until("a=a.example.com")
			save(f, siteText("a", "a.example.org"))
			f.until("a=a.example.org")
			save(f, siteText("a", "a.example.net"))
			f.until("a=a.example.net")
			f.expectNothingGone()
		})
	}
}

func TestABrokenFileIsReportedAndCostsNothing(t *testing.T) {
	f := open(t, "a.yaml", siteText("a", "a.example.com"), "b.yaml", siteText("b", "b.example.com"))
	f.until("a=a.example.com", "b=b.example.com")
	f.write("a.yaml", "{{{")
	f.untilLogged(Refused, "file="+filepath.Join(f.path, "a.yaml"), "error=not valid YAML: line 1")
	f.write("a.yaml", strings.Replace(siteText("a", "a.example.org"), "servicePort", "port", 1))
	f.untilLogged(Refused, "object=StaticSite docs/a", "error=spec.backend.port: unknown field; did you mean servicePort?")
	f.write("b.yaml", siteText("b", "b.example.org"))
	f.until("a=a.example.com", "b=b.example.org")
	f.write("a.yaml", siteText("a", "a.example.org"))
	f.until("a=a.example.org", "b=b.example.org")
	f.expectNothingGone()
}

// Kubernetes mounts a ConfigMap as links into a folder that is swapped as a
// whole.
func TestAMountedConfigMap(t *testing.T) {
	f := newFolder(t, "..1/a.yaml", siteText("a", "a.example.com"), "..1/sub/b.yaml", siteText("b", "b.example.com"))
	f.link("..1", "..data")
	f.link("..data/a.yaml", "a.yaml")
	f.link("..data/sub", "sub")
	f.run(f.path)
	f.until("a=a.example.com", "b=b.example.com")
	for i, domain := range []string{"example.org", "example.net"} {
		next := "..next" + string(rune('2'+i))
		f.write(next+"/a.yaml", siteText("a", "a."+domain))
		f.write(next+"/sub/b.yaml", siteText("b", "b."+domain))
		f.link(next, "..data_tmp")
		f.rename("..data_tmp", "..data")
		f.until("a=a."+domain, "b=b."+domain)
	}
	f.expectNothingGone()
}

// Tools that mount a Git repository show a new revision by swapping a link.
func TestALinkOnTheWayToTheFolder(t *testing.T) {
	f := newFolder(t, "one/sites/a.yaml", siteText("a", "a.example.com"), "two/sites/a.yaml", siteText("a", "a.example.org"))
	f.link("one", ".current")
	f.run(filepath.Join(f.path, ".current/sites"))
	f.until("a=a.example.com")
	f.link("two", "next")
	f.rename("next", ".current")
	f.until("a=a.example.org")
	f.write("two/sites/a.yaml", siteText("a", "a.example.net"))
	f.until("a=a.example.net")
	f.expectNothingGone()
}

func TestAFolderThatIsLostKeepsItsSites(t *testing.T) {
	f := newFolder(t, "sites/a.yaml", siteText("a", "a.example.com"), "sites/sub/b.yaml", siteText("b", "b.example.com"))
	path := filepath.Join(f.path, "sites")
	f.run(path)
	f.until("a=a.example.com", "b=b.example.com")
	f.remove("sites")
	f.untilLogged("sites folder cannot be read, serving what is known", "folder="+path)
	f.write("sites/a.yaml", siteText("a", "a.example.org"))
	f.until("a=a.example.org") // and b, which is not there any more, is gone
	if !slices.Equal(f.gone, []string{"b"}) {
		t.Errorf("gone: %v, want b only", f.gone)
	}
	f.write("sites/a.yaml", siteText("a", "a.example.net")) // watched anew
	f.until("a=a.example.net")
}

func TestALoopOfLinks(t *testing.T) {
	f := newFolder(t, "deep/a.yaml", siteText("a", "a.example.com"))
	f.link("..", "deep/up")
	f.link("nowhere", "b.yaml")
	f.run(f.path)
	f.until("a=a.example.com")
	if n := f.logs.FilterMessage(Refused).Len(); n > 0 {
		t.Errorf("%d files refused", n)
	}
}

// Who may write into the folder may not read the machine: not a file, and not all
// files below some folder. It is said once, and what was good before stays.
func TestALinkThatLeadsOut(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.yaml"), []byte(siteText("secret", "secret.example.com")), 0o644); err != nil {
		t.Fatal(err)
	}
	f := newFolder(t, "a.yaml", siteText("a", "a.example.com"))
	f.link(outside, "there")
	f.run(f.path)
	f.until("a=a.example.com")
	f.untilLogged(Refused, "file="+filepath.Join(f.path, "there"), "a link that leads out of the folder")
	f.link(filepath.Join(outside, "secret.yaml"), "b.yaml")
	f.untilLogged(Refused, "file="+filepath.Join(f.path, "b.yaml"), "a link that leads out of the folder")
	f.link(filepath.Join(outside, "secret.yaml"), "next")
	f.rename("next", "a.yaml")
	f.untilLogged(Refused, "file="+filepath.Join(f.path, "a.yaml"), "a link that leads out of the folder")
	f.write("c.yaml", siteText("c", "c.example.com"))
	f.until("a=a.example.com", "c=c.example.com")
	if n := f.logs.FilterMessage(Refused).Len(); n != 3 {
		t.Errorf("%d files refused, want each of the three once", n)
	}
	f.remove("b.yaml")
	f.write("b.yaml", siteText("b", "b.example.com"))
	f.until("a=a.example.com", "b=b.example.com", "c=c.example.com")
	f.expectNothingGone()
	loaded, err := Load(f.path)
	if err != nil || len(loaded.Objects) != 2 || len(loaded.Problems) != 2 {
		t.Errorf("Load: %v, %d objects, %v", err, len(loaded.Objects), loaded.Problems)
	}
}

// What cannot be looked into is a problem, not an empty folder.
func TestAFolderThatMayNotBeRead(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	f := newFolder(t, "a.yaml", siteText("a", "a.example.com"), "sub/b.yaml", siteText("b", "b.example.com"))
	sub := filepath.Join(f.path, "sub")
	f.must(os.Chmod(sub, 0))
	t.Cleanup(func() { os.Chmod(sub, 0o755) })
	loaded, err := Load(f.path)
	if err != nil || len(loaded.Problems) != 1 || !strings.Contains(loaded.Problems[0].Error(), sub+": cannot be read: permission denied") {
		t.Errorf("Load: %v, %v", err, loaded.Problems)
	}
	f.run(f.path)
	f.untilLogged(Refused, "file="+sub, "permission denied")
	f.until("a=a.example.com")
	f.must(os.Chmod(sub, 0o755))
	f.write("sub/c.yaml", siteText("c", "c.example.com")) // its folder is watched at the next look, which comes with this one
	f.write("d/d.yaml", siteText("d", "d.example.com"))
	f.until("a=a.example.com", "b=b.example.com", "c=c.example.com", "d=d.example.com")
}

func TestOneEditIsOneBatch(t *testing.T) {
	f := open(t, "f.yaml", siteText("a", "a.example.com")+siteText("b", "b.example.com"))
	f.until("a=a.example.com", "b=b.example.com")
	f.write("f.yaml", siteText("a", "a.example.org")+siteText("b", "b.example.org")+siteText("c", "c.example.org"))
	<-f.source.Changes().Ready()
	f.take()
	f.until("a=a.example.org", "b=b.example.org", "c=c.example.org")
}

func TestWhatBecameOfOtherObjectsIsLogged(t *testing.T) {
	f := open(t, "a.yaml", siteText("a", "a.example.com"))
	f.until("a=a.example.com")
	f.write("web.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: docs}\nspec: {ports: [{port: 80}]}\n")
	f.untilLogged("object read", "object=Service docs/web", "web.yaml")
	f.remove("web.yaml")
	f.untilLogged("object gone", "object=Service docs/web", "web.yaml")
}

// The kernel bounds the users of events; of folders on a machine with many of these,
// the next one has none. It is looked through now and then, and watched when it can be.
func TestAFolderWithoutEvents(t *testing.T) {
	const limit = "/proc/sys/user/max_inotify_instances"
	if os.Getenv("WITHOUT_EVENTS") == "" {
		// In a user namespace of its own, so that no other program has none.
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		child.Env = append(os.Environ(), "WITHOUT_EVENTS=1")
		child.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("in a user namespace of its own, which this system must allow: %v: %s", err, out)
		}
		return
	}
	bound, err := os.ReadFile(limit)
	if err != nil {
		t.Fatal(err)
	}
	f := newFolder(t, "a.yaml", siteText("a", "a.example.com"))
	f.must(os.WriteFile(limit, []byte("0"), 0))
	core, logs := observer.New(zap.InfoLevel)
	s := NewSource(f.path, zap.New(core))
	f.must(s.start())
	defer s.watcher.close()
	f.source = s
	f.until("a=a.example.com")
	if n := logs.FilterMessage("cannot watch every folder, changes take up to 30s").Len(); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	f.write("a.yaml", siteText("a", "a.other.example.com"))
	resurvey := func(at time.Time) { // as the ticker does
		s.stir(at)
		s.work(at)
		s.work(at.Add(settle))
	}
	resurvey(time.Now().Add(time.Minute))
	f.until("a=a.other.example.com")

	f.must(os.WriteFile(limit, bound, 0))
	resurvey(time.Now().Add(2 * time.Minute))
	f.write("b.yaml", siteText("b", "b.example.com"))
	events, _ := s.watcher.news()
	select {
	case event := <-events:
		if filepath.Base(event.Name) != "b.yaml" {
			t.Errorf("event %v", event)
		}
	case <-time.After(20 * time.Second):
		t.Error("it is not watched although it could be")
	}
}

func TestLostEventsAreMadeUpFor(t *testing.T) {
	f := newFolder(t, "a.yaml", siteText("a", "a.example.com"))
	s := NewSource(f.path, zap.NewNop())
	f.must(s.start())
	defer s.watcher.close()
	f.source = s
	f.until("a=a.example.com")
	f.write("a.yaml", siteText("a", "a.other.example.com"))
	f.write("b.yaml", siteText("b", "b.example.com"))
	later := time.Now().Add(time.Minute)
	s.stir(later) // as the ticker does, and nobody reads events
	s.work(later)
	s.work(later.Add(settle))
	f.until("a=a.other.example.com", "b=b.example.com")
}
