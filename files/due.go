package files

import (
	"maps"
	"path/filepath"
	"slices"
	"time"
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

// due is a file that may have changed.
type due struct {
	noticed time.Time // the first sign of it
	quiet   time.Time // when it may be read, unless there is another sign
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
		s.catalog.Expire(now, func(path string) bool { return s.asRead(path, now) })
	}
	s.handOver()
}
