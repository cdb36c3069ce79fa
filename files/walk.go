package files

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// walk returns the site files in a folder and its subfolders, and calls enter
// for each folder before it looks into it. Links are followed, as Kubernetes
// mounts a ConfigMap as links to files and folders; a folder that is reached
// from within itself is left out. Among the files is also what cannot be looked
// into, so that reading it says why: links to what is outside, and folders.
// What vanishes meanwhile is left out: the error is about root only.
func walk(root string, enter func(folder string, info fs.FileInfo)) (map[string]fs.FileInfo, error) {
	if err := readable(root); err != nil {
		return nil, err
	}
	opened, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	w := walker{root: opened, path: root, enter: enter, files: make(map[string]fs.FileInfo)}
	w.walk(".", nil)
	return w.files, nil
}

type walker struct {
	root  *os.Root
	path  string // of the root
	enter func(folder string, info fs.FileInfo)
	files map[string]fs.FileInfo // by path
}

// walk looks into one folder, by its name in the root; outer are the folders on
// the way to it.
func (w *walker) walk(folder string, outer []fs.FileInfo) {
	info, err := w.root.Stat(folder)
	if err != nil || slices.ContainsFunc(outer, func(o fs.FileInfo) bool { return os.SameFile(o, info) }) {
		return
	}
	path := filepath.Join(w.path, folder)
	w.enter(path, info)
	entries, err := list(w.root, folder)
	if err != nil && !isAbsent(err) {
		w.files[path] = info
	}
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		if isHidden(name) {
			continue
		}
		file, err := w.root.Stat(name)
		switch {
		case leadsOut(err):
			w.leftOut(name)
		case err != nil:
		case file.IsDir():
			w.walk(name, append(slices.Clip(outer), info))
		case file.Mode().IsRegular() && isSiteFile(name):
			w.files[filepath.Join(w.path, name)] = file
		}
	}
}

// leftOut takes a link that leads out of the root, unless nobody would expect
// anything of it.
func (w *walker) leftOut(name string) {
	path := filepath.Join(w.path, name)
	target, err := os.Stat(path)
	if !isSiteFile(name) && (err != nil || !target.IsDir()) {
		return
	}
	if link, err := w.root.Lstat(name); err == nil {
		w.files[path] = link
	}
}

// readable returns why a folder cannot be looked into, if so.
func readable(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Readdirnames(1); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// isSiteFile reports whether a file of that name is read: editors keep their
// droppings under other names ("docs.yaml~", "#docs.yaml#", ".docs.yaml.swp",
// "4913"). A kustomization is no object, though it stands among them.
func isSiteFile(path string) bool {
	name := filepath.Base(path)
	extension := filepath.Ext(name)
	return slices.Contains([]string{".yaml", ".yml", ".json"}, extension) &&
		!isHidden(path) && strings.TrimSuffix(name, extension) != "kustomization"
}

func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }
