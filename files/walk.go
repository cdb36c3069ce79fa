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
// from within itself is left out. What vanishes meanwhile is left out too: the
// error is about root only.
func walk(root string, enter func(folder string, info fs.FileInfo)) (map[string]fs.FileInfo, error) {
	if err := readable(root); err != nil {
		return nil, err
	}
	w := walker{enter: enter, files: make(map[string]fs.FileInfo)}
	w.walk(root, nil)
	return w.files, nil
}

type walker struct {
	enter func(folder string, info fs.FileInfo)
	files map[string]fs.FileInfo
}

// walk looks into one folder; outer are the folders on the way to it.
func (w *walker) walk(folder string, outer []fs.FileInfo) {
	info, err := os.Stat(folder)
	if err != nil || slices.ContainsFunc(outer, func(o fs.FileInfo) bool { return os.SameFile(o, info) }) {
		return
	}
	w.enter(folder, info)
	entries, _ := os.ReadDir(folder) // those that can be read
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		if isHidden(path) {
			continue
		}
		file, err := os.Stat(path)
		switch {
		case err != nil:
		case file.IsDir():
			w.walk(path, append(slices.Clip(outer), info))
		case file.Mode().IsRegular() && isSiteFile(path):
			w.files[path] = file
		}
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

// isSiteFile says whether a file of that name is read: editors keep their
// droppings under other names ("docs.yaml~", "#docs.yaml#", ".docs.yaml.swp",
// "4913"). A kustomization is no object, though it stands among them.
func isSiteFile(path string) bool {
	name := filepath.Base(path)
	extension := filepath.Ext(name)
	return slices.Contains([]string{".yaml", ".yml", ".json"}, extension) &&
		!isHidden(path) && strings.TrimSuffix(name, extension) != "kustomization"
}

func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }
