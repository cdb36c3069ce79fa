package files

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// statusFilePause is the least time between two writes of the status file.
const statusFilePause = 100 * time.Millisecond

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

func (f *statusFile) write(rows []row) {
	err := f.replace(rows)
	if err != nil && !f.failed {
		f.log.Warn("cannot write the status file", zap.String("file", f.path), zap.Error(err))
	}
	f.failed = err != nil
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
