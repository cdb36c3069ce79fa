package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

// watcher has the file system send events for every folder below a root. They
// say only where something happened; what it was is seen by looking.
//
// The kernel bounds how many users of events there may be, and how many folders
// they may watch. Beyond that there are no events, and the looking goes on.
type watcher struct {
	events  *fsnotify.Watcher // nil as long as there may be no more users of events
	log     *zap.Logger
	links   map[string]bool        // the links on the way to the root, which may be made to point elsewhere
	folders map[string]fs.FileInfo // watched, each as it was then
	deaf    bool                   // not every folder can be watched, which was logged
}

func newWatcher(root string, log *zap.Logger) *watcher {
	return &watcher{log: log, links: linksTo(root), folders: make(map[string]fs.FileInfo)}
}

// open asks for events, if there are none yet.
func (w *watcher) open() error {
	if w.events != nil {
		return nil
	}
	var err error
	w.events, err = fsnotify.NewWatcher()
	if err != nil {
		w.events = nil
	}
	return err
}

// news is where events come, and word that some were lost; nowhere if there are none.
func (w *watcher) news() (<-chan fsnotify.Event, <-chan error) {
	if w.events == nil {
		return nil, nil
	}
	return w.events.Events, w.events.Errors
}

func (w *watcher) close() {
	if w.events != nil {
		_ = w.events.Close() // it only ends
	}
}

// linksTo returns the symbolic links among a path and the folders above it:
// tools that mount a Git repository swap such a link to show a new revision.
func linksTo(root string) map[string]bool {
	links := make(map[string]bool)
	path, err := filepath.Abs(root)
	if err != nil {
		return links
	}
	for ; path != filepath.Dir(path); path = filepath.Dir(path) {
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			links[path] = true
		}
	}
	return links
}

// isStructure reports whether something at path may have changed which files there
// are: a folder, or a link that leads to many files at once, such as the ..data
// of a mounted ConfigMap.
func (w *watcher) isStructure(path string) bool {
	if w.folders[path] != nil || w.links[path] || strings.HasPrefix(filepath.Base(path), "..") {
		return true
	}
	if isHidden(path) {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// refresh forgets the folders that are not where they were: events of a folder
// that was moved would bear its old name.
func (w *watcher) refresh() {
	for path, before := range w.folders {
		if now, err := os.Stat(path); err != nil || !os.SameFile(before, now) {
			_ = w.events.Remove(path) // it may be forgotten already, when the folder was deleted
			delete(w.folders, path)
		}
	}
	for link := range w.links {
		w.listen(filepath.Dir(link))
	}
}

// enter watches one folder. It is called before the folder is looked into, so
// that what comes later sends an event; and again at each look, as a folder that
// was deleted and made anew may seem the same.
func (w *watcher) enter(folder string, info fs.FileInfo) {
	if w.listen(folder) {
		w.folders[folder] = info
	}
}

func (w *watcher) listen(folder string) bool {
	err := w.open()
	if err == nil {
		err = w.events.Add(folder)
	}
	if err != nil && !w.deaf && !os.IsNotExist(err) {
		w.deaf = true
		w.log.Warn("cannot watch every folder, changes take up to "+resurvey.String(), zap.String("folder", folder), zap.Error(err))
	}
	return err == nil
}
