package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/translate"
)

const (
	// settle is how long a file must have been quiet before it is read: a file
	// that is written in place is half there for a moment.
	settle = 30 * time.Millisecond

	// resurvey is how often the whole folder is looked through, in case that
	// events were lost or never came (network file systems).
	resurvey = 30 * time.Second

	// reconnect replaces resurvey while the folder cannot be read.
	reconnect = time.Second
)

// Source hands over the objects in a folder of YAML files, and from then on
// what changes.
type Source struct {
	folder  string
	log     *zap.Logger
	changes *latest.Map[translate.Ref, translate.Object]

	// What goes between the source and the status of its sites.
	notices *latest.Map[translate.Key, notice]
	places  *latest.Map[translate.Key, string] // the file of each site
	held    *latest.Map[translate.Key, []string]

	// The rest is Run's.
	catalog *catalog
	watcher *watcher
	stamps  map[string]fs.FileInfo // of each file as it was read last
	due     map[string]due         // the files to read
	stirred bool                   // the whole folder is due
	synced  bool                   // the first batch was handed over
	lost    bool                   // the folder cannot be read, which was logged
	alarm   *time.Timer
	wakeAt  time.Time // when alarm goes off; zero if it does not
}

// due is a file that may have changed.
type due struct {
	noticed time.Time // the first sign of it
	quiet   time.Time // when it may be read, unless there is another sign
}

// notice says when the change of a site was noticed.
type notice struct {
	at         time.Time
	generation int64
	gone       bool
}

// NewSource returns a source for the folder that has not started.
func NewSource(folder string, log *zap.Logger) *Source {
	return &Source{
		folder:  filepath.Clean(folder),
		log:     log,
		changes: latest.New[translate.Ref, translate.Object](),
		notices: latest.New[translate.Key, notice](),
		places:  latest.New[translate.Key, string](),
		held:    latest.New[translate.Key, []string](),
		catalog: newCatalog(),
		stamps:  make(map[string]fs.FileInfo),
		due:     make(map[string]due),
	}
}

// Changes is where the objects are handed over: first all that exist, in one
// batch and even if there are none, then what changes, all that one edit of a
// file did in one batch. A nil object is one that is gone.
func (s *Source) Changes() *latest.Map[translate.Ref, translate.Object] { return s.changes }

// Run reads the folder and then watches it until ctx ends. It returns an error
// if the folder cannot be read at the start; later, that only delays news.
func (s *Source) Run(ctx context.Context) error {
	if err := s.start(); err != nil {
		return fmt.Errorf("read sites: %w", err)
	}
	defer s.watcher.close()
	defer s.alarm.Stop()
	survey := time.NewTicker(resurvey)
	defer survey.Stop()
	for {
		events, losses := s.watcher.news()
		select {
		case <-ctx.Done():
			return nil
		case event := <-events:
			s.sense(filepath.Clean(event.Name), time.Now())
		case err := <-losses:
			s.log.Debug("events of the sites folder were lost, looking through all of it", zap.Error(err))
			s.stir(time.Now())
		case <-survey.C:
			s.stir(time.Now())
		case <-s.alarm.C:
			s.wakeAt = time.Time{}
			s.work(time.Now())
		case <-s.held.Ready():
			s.hold(time.Now())
		}
	}
}

// start reads everything there is.
func (s *Source) start() error {
	info, err := os.Stat(s.folder)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", s.folder)
	}
	if err := readable(s.folder); err != nil {
		return err
	}
	s.watcher = newWatcher(s.folder, s.log)
	s.alarm = time.NewTimer(time.Hour)
	s.alarm.Stop()

	now := time.Now()
	s.survey(now)
	for _, path := range slices.Sorted(maps.Keys(s.due)) {
		s.read(path, s.due[path].noticed)
	}
	clear(s.due)
	s.handOver()
	s.synced = true
	s.log.Info("sites folder read", zap.String("folder", s.folder), zap.Int("sites", s.catalog.sites))
	return nil
}

// sense takes a sign that something happened at path.
func (s *Source) sense(path string, now time.Time) {
	switch {
	case isSiteFile(path) && s.watcher.folders[path] == nil:
		if below(s.folder, path) {
			s.suspect(path, now, now.Add(settle))
		}
	case s.watcher.isStructure(path):
		s.stir(now)
	}
}

func below(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(relative)
}

// stir makes the whole folder due, once for all that happens in a while.
func (s *Source) stir(now time.Time) {
	if !s.stirred {
		s.stirred = true
		s.wake(now.Add(settle))
	}
}

// suspect makes a file due at the time quiet, unless there is a later sign of it.
func (s *Source) suspect(path string, now, quiet time.Time) {
	d, known := s.due[path]
	if !known {
		d.noticed = now
	}
	d.quiet = quiet
	s.due[path] = d
	s.wake(quiet)
}

// wake makes work happen at a time, or before.
func (s *Source) wake(at time.Time) {
	if s.wakeAt.IsZero() || at.Before(s.wakeAt) {
		s.wakeAt = at
		s.alarm.Reset(time.Until(at))
	}
}

// work does what is due, and no more.
func (s *Source) work(now time.Time) {
	if s.stirred {
		s.survey(now)
	}
	for _, path := range slices.Sorted(maps.Keys(s.due)) {
		if d := s.due[path]; d.quiet.After(now) {
			s.wake(d.quiet)
		} else {
			delete(s.due, path)
			s.read(path, d.noticed)
		}
	}
	if s.folderIsThere() {
		s.catalog.expire(now, func(path string) bool { return s.asRead(path, now) })
	}
	s.handOver()
}

// read takes what a file says now.
func (s *Source) read(path string, noticed time.Time) {
	info, err := look(s.folder, path)
	if err == nil && !info.Mode().IsRegular() {
		s.stir(noticed) // a folder with a file's name, say
		err = fs.ErrNotExist
	}
	var text []byte
	if err == nil {
		text, err = readWithin(s.folder, path)
	}
	switch {
	case err == nil:
		s.stamps[path] = info
		s.refuse(s.catalog.put(path, text, noticed))
	case !isAbsent(err):
		s.stamps[path] = info
		s.refuse(s.catalog.fail(path, err, noticed))
	case s.folderIsThere():
		delete(s.stamps, path)
		s.catalog.remove(path, noticed)
	}
}

// asRead says whether a file is as it was when it was read last, and else makes
// it due: the event of a change may be late, or never come.
func (s *Source) asRead(path string, now time.Time) bool {
	info, err := look(s.folder, path)
	there := err == nil && info.Mode().IsRegular() || errors.Is(err, errLeadsOut)
	before := s.stamps[path]
	if there == (before != nil) && !(there && differs(before, info)) {
		return true
	}
	s.suspect(path, now, now.Add(settle))
	return false
}

// isAbsent says whether err means that there is no file, maybe because what was
// a folder on the way to it is none any more.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// survey looks through the whole folder, and makes due what differs from what
// was read.
func (s *Source) survey(now time.Time) {
	s.stirred = false
	if !s.folderIsThere() {
		return
	}
	s.watcher.refresh()
	files, err := walk(s.folder, s.watcher.enter)
	if err != nil {
		return // it went just now
	}
	for path, info := range files {
		if before := s.stamps[path]; before == nil || differs(before, info) {
			s.suspect(path, now, later(now, info.ModTime().Add(settle)))
		}
	}
	for path := range s.stamps {
		if files[path] == nil {
			s.suspect(path, now, now)
		}
	}
}

// later returns the later of two times, though not one far off: the clock of a
// file system may be another.
func later(now, t time.Time) time.Time {
	if t.After(now) {
		return now.Add(settle)
	}
	return now
}

func differs(a, b fs.FileInfo) bool {
	return !os.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime())
}

// folderIsThere says whether the folder can be read. While it cannot, nothing
// in it is believed to be gone: a folder that is deleted, moved or not mounted
// is a mishap, not a wish.
func (s *Source) folderIsThere() bool {
	err := readable(s.folder)
	if lost := err != nil; lost != s.lost {
		s.lost = lost
		if lost {
			s.log.Warn("sites folder cannot be read, serving what is known", zap.String("folder", s.folder), zap.Error(err))
		} else {
			s.log.Info("sites folder is back", zap.String("folder", s.folder))
			s.stir(time.Now())
		}
	}
	if s.lost {
		s.wake(time.Now().Add(reconnect))
	}
	return !s.lost
}

// hold takes which domains sites hold, as a cluster would in their status.
func (s *Source) hold(now time.Time) {
	for site, domains := range s.held.Take() {
		s.catalog.hold(site, domains, now)
	}
	s.handOver()
}

// handOver passes on what changed.
func (s *Source) handOver() {
	hadSites := s.catalog.sites > 0 || !s.synced
	changes, duplicates := s.catalog.take()
	s.refuse(duplicates)
	for site, path := range s.catalog.moved {
		s.places.Put(site, path)
	}
	clear(s.catalog.moved)
	objects := make(map[translate.Ref]translate.Object, len(changes))
	for ref, c := range changes {
		objects[ref] = c.object
		if c.written {
			s.tell(ref, c)
		}
	}
	if len(objects) > 0 || !s.synced {
		s.changes.PutAll(objects)
	}
	if at, ok := s.catalog.next(); ok {
		s.wake(at)
	}
	if hadSites && s.catalog.sites == 0 {
		s.log.Warn("there are no sites in the folder: add a StaticSite", zap.String("folder", s.folder))
	}
}
