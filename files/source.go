package files

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/files/catalog"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
)

// Source hands over the objects in a folder of YAML files, and from then on
// what changes.
type Source struct {
	folder  string
	log     *zap.Logger
	changes *latest.Map[object.Ref, object.Object]

	// What goes between the source and the status of its sites.
	notices *latest.Map[object.Key, notice]
	places  *latest.Map[object.Key, string] // the file of each site
	held    *latest.Map[object.Key, []string]

	// The rest is Run's.
	catalog *catalog.Catalog
	watcher *watcher
	stamps  map[string]fs.FileInfo // of each file as it was read last
	due     map[string]due         // the files to read
	stirred bool                   // the whole folder is due
	synced  bool                   // the first batch was handed over
	lost    bool                   // the folder cannot be read, which was logged
	alarm   *time.Timer
	wakeAt  time.Time // when alarm goes off; zero if it does not
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
		changes: latest.New[object.Ref, object.Object](),
		notices: latest.New[object.Key, notice](),
		places:  latest.New[object.Key, string](),
		held:    latest.New[object.Key, []string](),
		catalog: catalog.New(),
		stamps:  make(map[string]fs.FileInfo),
		due:     make(map[string]due),
	}
}

// Changes is where the objects are handed over: first all that exist, in one
// batch and even if there are none, then what changes, all that one edit of a
// file did in one batch. A nil object is one that is gone.
func (s *Source) Changes() *latest.Map[object.Ref, object.Object] { return s.changes }

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
	s.log.Info("sites folder read", zap.String("folder", s.folder), zap.Int("sites", s.catalog.Sites()))
	return nil
}

// hold takes which domains sites hold, as a cluster would in their status.
func (s *Source) hold(now time.Time) {
	for site, domains := range s.held.Take() {
		s.catalog.Hold(site, domains, now)
	}
	s.handOver()
}

// handOver passes on what changed.
func (s *Source) handOver() {
	hadSites := s.catalog.Sites() > 0 || !s.synced
	changes, duplicates := s.catalog.Take()
	s.refuse(duplicates)
	for site, path := range s.catalog.Moved() {
		s.places.Put(site, path)
	}
	objects := make(map[object.Ref]object.Object, len(changes))
	for ref, c := range changes {
		objects[ref] = c.Object
		if c.Written {
			s.tell(ref, c)
		}
	}
	if len(objects) > 0 || !s.synced {
		s.changes.PutAll(objects)
	}
	if at, ok := s.catalog.Next(); ok {
		s.wake(at)
	}
	if hadSites && s.catalog.Sites() == 0 {
		s.log.Warn("there are no sites in the folder: add a StaticSite", zap.String("folder", s.folder))
	}
}
