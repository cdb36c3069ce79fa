package credentials

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// interval is how often the files are looked at, and ended certificates are looked
// for. It is polled, since three small files cost microseconds, and events of files
// get lost: where a folder is mounted over, or replaced.
const interval = time.Second

// Config says where the credentials are, and who may connect.
type Config struct {
	Dir      string   // with tls.crt, tls.key, and ca.crt: the CAs of replicas, this one's too
	ProxyCAs string   // a file: the CAs of proxies
	Proxies  []string // names in the certificates of proxies; see Class
	Replicas []string // names in those of replicas
}

// A Store holds the credentials that the files had when they were good last.
type Store struct {
	clock   func() time.Time
	log     *zap.Logger
	metrics *metrics

	current atomic.Pointer[material]
	sources []*source // those who look at the files, one at a time, own it

	// mu guards who is connected. It is taken after current is read or set, never
	// around I/O.
	mu          sync.Mutex
	connections map[*connection]struct{}
	refusals    refusals
}

// A source is a part of the material, in files that belong together.
type source struct {
	name  string // in log and metrics
	paths []string
	take  func(*material, [][]byte) error

	seen   fingerprint // at the last look
	judged fingerprint // what was taken or refused last
}

// A fingerprint tells one content of a source's files from another. That they
// cannot be read is a content too.
type fingerprint [sha256.Size]byte

// New reads the credentials. It fails unless all of them are good.
func New(config Config, clock func() time.Time, log *zap.Logger) (*Store, error) {
	s := &Store{clock: clock, log: log, metrics: newMetrics(), connections: make(map[*connection]struct{})}
	in := func(name string) string { return filepath.Join(config.Dir, name) }
	s.sources = []*source{
		{name: "certificate", paths: []string{in("tls.crt"), in("tls.key")}, take: func(m *material, files [][]byte) (err error) {
			m.pair, err = parsePair(files[0], files[1])
			return err
		}},
		{name: "replica-cas", paths: []string{in("ca.crt")}, take: func(m *material, files [][]byte) (err error) {
			m.replicas, err = parseBundle(files[0])
			return err
		}},
		{name: "proxy-cas", paths: []string{config.ProxyCAs}, take: func(m *material, files [][]byte) (err error) {
			m.proxies, err = parseBundle(files[0])
			return err
		}},
	}
	first := material{rules: Rules{Proxies: Class{Names: config.Proxies}, Replicas: Class{Names: config.Replicas}}}
	for _, src := range s.sources {
		files, err := src.read()
		src.seen = fingerprintOf(files, err)
		src.judged = src.seen
		if err == nil {
			err = src.judge(&first, files)
		}
		if err != nil {
			return nil, err
		}
		s.metrics.refused.WithLabelValues(src.name).Set(0)
	}
	s.set(first)
	return s, nil
}

// Run keeps the credentials current, and the connections to those who may have one,
// until ctx ends.
func (s *Store) Run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.look()
		}
	}
}

// look looks at the files and at the connections once.
//
// A content is judged when two looks in a row have seen it: whoever writes files one
// after the other, or in pieces, has a second to finish.
func (s *Store) look() {
	next, changed := *s.current.Load(), false
	for _, src := range s.sources {
		files, err := src.read()
		now := fingerprintOf(files, err)
		settled := now == src.seen
		src.seen = now
		if !settled || now == src.judged {
			continue
		}
		src.judged = now
		if err == nil {
			err = src.judge(&next, files)
		}
		if err != nil {
			s.metrics.refused.WithLabelValues(src.name).Set(1)
			s.log.Error("new credentials are not good: the old ones stay in use", zap.String("credentials", src.name), zap.Error(err))
			continue
		}
		s.metrics.refused.WithLabelValues(src.name).Set(0)
		s.log.Info("new credentials are in use", zap.String("credentials", src.name))
		changed = true
	}
	if changed {
		s.set(next)
	}
	s.review(changed)
}

// set has a material be used from now on.
func (s *Store) set(m material) {
	m.rules.Proxies.CAs, m.rules.Replicas.CAs = pool(m.proxies), pool(m.replicas)
	s.metrics.notAfter.Set(float64(m.pair.Leaf.NotAfter.Unix()))
	s.current.Store(&m)
}

func (src *source) read() (files [][]byte, err error) {
	for _, path := range src.paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, content)
	}
	return files, nil
}

// judge puts the files' content into a material, or leaves that as it is.
func (src *source) judge(m *material, files [][]byte) error {
	next := *m
	if err := src.take(&next, files); err != nil {
		return fmt.Errorf("read %s: %w", list(src.paths), err)
	}
	*m = next
	return nil
}

func list(paths []string) string {
	text := paths[0]
	for _, path := range paths[1:] {
		text += " and " + path
	}
	return text
}

func fingerprintOf(files [][]byte, err error) (f fingerprint) {
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = os.ErrNotExist // whichever of them it is that comes and goes
		}
		return sha256.Sum256([]byte("error: " + err.Error()))
	}
	sums := slices.Concat(files...)
	for _, file := range files {
		sums = fmt.Appendf(sums, "/%d", len(file))
	}
	return sha256.Sum256(sums)
}
