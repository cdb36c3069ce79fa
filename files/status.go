package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/latest"
)

// The log messages about sites: what became of a change that a person made.
const (
	SiteLive    = "site live"          // site, domain, proxies, after
	SiteGone    = "site gone"          // site, domain, proxies, after
	SiteProblem = "site has a problem" // file, site, condition, reason, message

	sitesLive = "sites live" // many at once: sites, after (of the slowest)
	sitesGone = "sites gone"
)

// atOnce is how many sites of one batch are logged each by itself.
const atOnce = 20

// Status tells people what became of the sites in their files, as a cluster
// would in each site's status: in the log, on transitions only, and, if asked,
// in a file that always has the statuses of all.
type Status struct {
	source *Source
	wanted *latest.Map[object.Key, sitestatus.Status]
	log    *zap.Logger
	file   *statusFile // nil if not asked for
	phases sitestatus.Phases

	// The rest is Run's.
	sites   map[object.Key]*site
	notices map[object.Key]notice // of changes that are not live yet
	places  map[object.Key]string // the file of each site
}

// site is what was told of one site.
type site struct {
	status   v1alpha1.StaticSiteStatus
	problems map[string]string // by type of condition: what was logged and still holds
	troubled int64             // the generation of the last problem logged, until the site is live; else 0
}

// NewStatus returns a status of the sites in source. Path is where to keep all
// statuses as JSON, or empty. The error is about a path that would be read as a
// site, or cannot be written.
func NewStatus(source *Source, wanted *latest.Map[object.Key, sitestatus.Status], path string, log *zap.Logger) (*Status, error) {
	s := &Status{
		source:  source,
		wanted:  wanted,
		log:     log,
		phases:  sitestatus.NewPhases(),
		sites:   make(map[object.Key]*site),
		notices: make(map[object.Key]notice),
		places:  make(map[object.Key]string),
	}
	if path == "" {
		return s, nil
	}
	inside, err := isInside(source.folder, path)
	if err != nil {
		return nil, err
	}
	if inside && isSiteFile(path) {
		return nil, fmt.Errorf("status file %s lies in the sites folder and would be read as a site: choose another place", path)
	}
	s.file = &statusFile{path: path, log: log}
	if err := s.file.replace(s.rows()); err != nil {
		return nil, fmt.Errorf("status file %s cannot be written: %w: name a file in a folder that exists and may be written to", path, cmp.Or(errors.Unwrap(err), err)) // without the name of what is to become it
	}
	return s, nil
}

// Metrics are what to register with a prometheus.Registerer.
func (s *Status) Metrics() []prometheus.Collector { return []prometheus.Collector{s.phases.Metrics()} }

func isInside(folder, path string) (bool, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return false, err
	}
	path, err = filepath.Abs(path)
	return err == nil && below(folder, path), err
}

// Run tells until ctx ends.
func (s *Status) Run(ctx context.Context) error {
	pace := time.NewTimer(0)
	defer pace.Stop()
	var dirty, mayWrite bool
	for {
		if dirty && mayWrite {
			mayWrite = false
			if s.file.write(s.rows()) {
				dirty = false
				pace.Reset(statusFilePause)
			} else {
				pace.Reset(statusFileRetry)
			}
		}
		select {
		case <-ctx.Done():
			if dirty {
				s.file.write(s.rows())
			}
			return nil
		case <-s.wanted.Ready():
			s.take(s.wanted.Take(), time.Now())
			dirty = s.file != nil
		case <-pace.C:
			mayWrite = true
		}
	}
}

// take takes the statuses that changed.
func (s *Status) take(statuses map[object.Key]sitestatus.Status, now time.Time) {
	// A notice is put before the change that it is about, so that of any status
	// here it is known what it is about.
	maps.Copy(s.notices, s.source.notices.Take())
	maps.Copy(s.places, s.source.places.Take())
	var live, gone []told
	for _, key := range slices.SortedFunc(maps.Keys(statuses), compareKeys) {
		status := statuses[key]
		if status.Gone {
			gone = append(gone, s.drop(status, now))
		} else if t, ok := s.update(status, now); ok {
			live = append(live, t)
		}
	}
	s.tell(SiteLive, sitesLive, live)
	s.tell(SiteGone, sitesGone, gone)
}

// told is one line of the log.
type told struct {
	after  time.Duration
	fields []zap.Field
}

func (s *Status) tell(one, many string, lines []told) {
	if len(lines) > atOnce {
		slowest := slices.MaxFunc(lines, func(a, b told) int { return cmp.Compare(a.after, b.after) })
		s.log.Info(many, zap.Int("sites", len(lines)), zap.Duration("after", slowest.after))
		return
	}
	for _, line := range lines {
		s.log.Info(one, line.fields...)
	}
}

// update takes the status of a site that exists. It returns the line to log if
// the site has become live.
func (s *Status) update(status sitestatus.Status, now time.Time) (told, bool) {
	known := s.sites[status.Site]
	if known == nil {
		known = &site{problems: make(map[string]string)}
		s.sites[status.Site] = known
	} else {
		s.phases.Go(string(known.status.Phase))
	}
	s.phases.Come(status.Phase)
	if !slices.Equal(known.status.Domains, status.Domains) {
		s.source.held.Put(status.Site, status.Domains)
	}
	known.status = status.InObject(known.status.Conditions, now)
	s.complain(status.Site, known)

	notice, noticed := s.notices[status.Site]
	noticed = noticed && !notice.gone && notice.generation == status.Generation
	if !known.ready() || !noticed && known.troubled == 0 {
		return told{}, false
	}
	line := told{fields: []zap.Field{
		zap.Stringer("site", status.Site),
		domainField(status.Domains),
		zap.Int("proxies", status.Proxies),
	}}
	if noticed && notice.generation != known.troubled { // the time until a problem was mended is nobody's latency
		line.after = now.Sub(notice.at)
		line.fields = append(line.fields, zap.Duration("after", line.after))
	}
	known.troubled = 0
	delete(s.notices, status.Site)
	return line, true
}

func domainField(domains []string) zap.Field { return zap.String("domain", strings.Join(domains, ",")) }

// drop takes that a site is gone, and returns the line to log.
func (s *Status) drop(status sitestatus.Status, now time.Time) told {
	key := status.Site
	line := told{fields: []zap.Field{zap.Stringer("site", key)}}
	if known := s.sites[key]; known != nil {
		line.fields = append(line.fields, domainField(known.status.Domains))
		s.phases.Go(string(known.status.Phase))
		delete(s.sites, key)
	}
	if notice, ok := s.notices[key]; !ok || notice.gone {
		delete(s.places, key) // else it has come back
	}
	line.fields = append(line.fields, zap.Int("proxies", status.Proxies))
	if notice, ok := s.notices[key]; ok && notice.gone {
		line.after = now.Sub(notice.at)
		line.fields = append(line.fields, zap.Duration("after", line.after))
		delete(s.notices, key)
	}
	return line
}

// complain logs the conditions that have become False, or False for another
// reason.
func (s *Status) complain(key object.Key, known *site) {
	for _, c := range known.status.Conditions {
		if c.Type == v1alpha1.ConditionReady || c.Reason == v1alpha1.ReasonNotSent {
			continue // it repeats another
		}
		if c.Status != metav1.ConditionFalse {
			delete(known.problems, c.Type)
			continue
		}
		text := c.Reason + ": " + c.Message
		if known.problems[c.Type] == text {
			continue
		}
		known.problems[c.Type] = text
		if c.Type != v1alpha1.ConditionEndpointsReady { // which does not keep the site from being live
			known.troubled = c.ObservedGeneration
		}
		s.log.Warn(SiteProblem, zap.String("file", s.places[key]), zap.Stringer("site", key),
			zap.String("condition", c.Type), zap.String("reason", c.Reason), zap.String("message", c.Message))
	}
}

func (k *site) ready() bool {
	for _, c := range k.status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			return c.Status == metav1.ConditionTrue
		}
	}
	return false
}

// rows are the statuses of all sites, sorted.
func (s *Status) rows() []row {
	rows := make([]row, 0, len(s.sites))
	for _, key := range slices.SortedFunc(maps.Keys(s.sites), compareKeys) {
		rows = append(rows, row{key.Namespace, key.Name, s.sites[key].status})
	}
	return rows
}

func compareKeys(a, b object.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
