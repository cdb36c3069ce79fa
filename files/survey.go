package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"
)

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
		s.refuse(s.catalog.Put(path, text, noticed))
	case !isAbsent(err):
		s.stamps[path] = info
		s.refuse(s.catalog.Fail(path, err, noticed))
	case s.folderIsThere():
		delete(s.stamps, path)
		s.catalog.Remove(path, noticed)
	}
}

// asRead reports whether a file is as it was when it was read last, and else makes
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

// isAbsent reports whether err means that there is no file, maybe because what was
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

// folderIsThere reports whether the folder can be read. While it cannot, nothing
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
