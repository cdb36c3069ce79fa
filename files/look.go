package files

import (
	"errors"
	"fmt"
	"io"
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
	file, err := root.Open(name)
	if leadsOut(err) {
		err = errLeadsOut
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readBounded(file)
}

// maxFile is how large a file may be: 25,000 sites. A file is read as a whole, and
// nothing else is looked at meanwhile.
const maxFile = 16 << 20

// readBounded reads an open file, unless it is too large. It may grow while it is read.
func readBounded(file *os.File) ([]byte, error) {
	if info, err := file.Stat(); err == nil && info.Size() > maxFile {
		return nil, tooLarge(info.Size())
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = tooLarge(maxFile + 1)
	}
	return text, err
}

func tooLarge(size int64) error {
	return fmt.Errorf("it has %d MB or more, and at most %d MB are read: write the objects into several files", max(size>>20, 1), maxFile>>20)
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
