package files

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"my-company.com/staticsite-operator/files/catalog"
	"my-company.com/staticsite-operator/object"
)

// Loaded is what a folder holds, read once.
type Loaded struct {
	Objects  map[object.Ref]object.Object
	Files    map[object.Ref]string // where each object stands
	Problems []catalog.Problem     // by file, in the order in which they stand there
}

// Load reads a folder and its subfolders, or a single file of any name, once.
// The same files give the same result. The error is about the path itself;
// mistakes in files are Problems.
func Load(path string) (Loaded, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Loaded{}, fmt.Errorf("read sites: %w", err)
	}
	paths, read := []string{path}, readFile
	if info.IsDir() {
		read = func(file string) ([]byte, error) { return readWithin(path, file) }
		if paths, err = sitePaths(path); err != nil {
			return Loaded{}, fmt.Errorf("read sites: %w", err)
		}
	}
	c := catalog.New()
	var problems []catalog.Problem
	for _, path := range paths {
		text, err := read(path)
		if err != nil {
			problems = append(problems, catalog.Unreadable(path, err))
			continue
		}
		problems = append(problems, c.Put(path, text, time.Time{})...)
	}
	changes, duplicates := c.Take()
	loaded := Loaded{
		Objects:  make(map[object.Ref]object.Object, len(changes)),
		Files:    make(map[object.Ref]string, len(changes)),
		Problems: append(problems, duplicates...),
	}
	for ref, change := range changes {
		loaded.Objects[ref], loaded.Files[ref] = change.Object, change.Path
	}
	slices.SortStableFunc(loaded.Problems, func(a, b catalog.Problem) int { return strings.Compare(a.File, b.File) })
	return loaded, nil
}

// readFile returns what a file says that was named by itself.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readBounded(file)
}

func sitePaths(folder string) ([]string, error) {
	files, err := walk(folder, func(string, fs.FileInfo) {})
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(files)), nil
}
