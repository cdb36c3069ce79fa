package files

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

const (
	// statusFilePause is the least time between two writes of the status file.
	statusFilePause = 100 * time.Millisecond

	// statusFileRetry is when to write it again after that has failed.
	statusFileRetry = time.Second
)

// row is one site in the status file: a list of such, sorted by namespace and
// name.
type row struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	v1alpha1.StaticSiteStatus
}

// statusFile is replaced as a whole, so that a reader never sees half of it.
type statusFile struct {
	path   string
	log    *zap.Logger
	failed bool // which was logged
}

// write reports whether it was written.
func (f *statusFile) write(rows []row) bool {
	err := f.replace(rows)
	switch failed := err != nil; {
	case failed && !f.failed:
		f.log.Warn("cannot write the status file, trying again until it works", zap.String("file", f.path), zap.Error(err))
	case !failed && f.failed:
		f.log.Info("status file is written again", zap.String("file", f.path))
	}
	f.failed = err != nil
	return err == nil
}

func (f *statusFile) replace(rows []row) error {
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) // it is gone unless something failed
	_, err = next.Write(append(text, '\n'))
	if err == nil {
		err = next.Chmod(0o644)
	}
	if closeErr := next.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(next.Name(), f.path)
}
