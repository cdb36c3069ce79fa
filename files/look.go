package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// errLeadsOut is why a link is not followed: whoever may write into the folder
// must not be able to have the server read the rest of its machine.
var errLeadsOut = errors.New("it is a link that leads out of the folder; write a relative link to what is in the folder, or put the file itself there")

// look returns what is at a path in a folder. Links are followed, but not out of
// the folder: the error then is errLeadsOut, and the info is the link's own. A
// folder that cannot be looked into is an error, too.
func look(folder, path string) (fs.FileInfo, error) {
	root, name, err := within(folder, path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	switch {
	case leadsOut(err):
		if info, err = root.Lstat(name); err == nil {
			err = errLeadsOut
		}
	case err == nil && info.IsDir():
		_, err = list(root, name)
	}
	return info, err
}

// readWithin returns what a file in a folder says.
func readWithin(folder, path string) ([]byte, error) {
	root, name, err := within(folder, path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, err := root.ReadFile(name)
	if leadsOut(err) {
		err = errLeadsOut
	}
	return text, err
}

// within opens a folder so that nothing outside can be reached through it.
func within(folder, path string) (root *os.Root, name string, err error) {
	if name, err = filepath.Rel(folder, path); err != nil {
		return nil, "", err
	}
	root, err = os.OpenRoot(folder)
	return root, name, err
}

func list(root *os.Root, name string) ([]fs.DirEntry, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// leadsOut reports whether an error is os.Root's own, which has no name, and not the
// operating system's.
func leadsOut(err error) bool {
	var errno syscall.Errno
	return err != nil && !errors.As(err, &errno)
}
