package files

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/translate"
)

const (
	// patience is how long a file must have been away before its objects are
	// believed to be gone: editors and version control take files away to put new
	// ones there.
	patience = 300 * time.Millisecond

	// doubt is how long a file that is there must have stood still without an
	// object that it had: a file that is written in place is cut first, and what
	// is there of it may be good by itself.
	doubt = time.Second
)

// catalog knows which objects the files hold and which of them are served. It
// does no I/O and has no clock: what files say goes in, changes come out.
//
// Invariant: an object that is served goes on being served, in its last good
// form, until its file has been away for as long as patience, or there, without
// the object, without a mistake and unchanged, for as long as doubt.
type catalog struct {
	files  map[string]*file
	copies map[translate.Ref][]*placed // by path; more than one means duplicates
	served map[translate.Ref]*serving
	sites  int // how many of served are StaticSites

	away    map[*placed]bool            // the copies that are away
	touched map[translate.Ref]time.Time // what take must look at, and when its change was noticed
	moved   map[translate.Key]string    // sites that are served from another file than before; for the owner to clear
}

// file is what is remembered of one file.
type file struct {
	placed   map[translate.Ref]*placed
	decoded  decodedDocuments
	problems map[string]bool // reported, and still there
}

// placed is an object in a file, in the last good form that it had there.
type placed struct {
	path   string
	ref    translate.Ref
	object translate.Object
	since  time.Time // when it was noticed to be away; zero while it is there
	until  time.Time // when that is believed, unless the file changes again
	told   bool      // that it is a duplicate
}

// serving is what was handed over of an object. It outlives the object, so that
// a generation never comes back with another meaning.
type serving struct {
	from       *placed          // nil: the object is gone
	object     translate.Object // with generation and claim
	generation int64            // of a site
	held       []string         // of a site: what its status says it holds
}

// change is what became of one object.
type change struct {
	object  translate.Object // nil: gone
	path    string           // where it stands, or stood
	written bool             // the file's doing; otherwise the status's
	noticed time.Time
}

func newCatalog() *catalog {
	return &catalog{
		files:   make(map[string]*file),
		copies:  make(map[translate.Ref][]*placed),
		served:  make(map[translate.Ref]*serving),
		away:    make(map[*placed]bool),
		touched: make(map[translate.Ref]time.Time),
		moved:   make(map[translate.Key]string),
	}
}

// put takes what a file says now. It returns the problems in it that were not
// there before.
func (c *catalog) put(path string, text []byte, noticed time.Time) []Problem {
	f := c.file(path)
	said := read(path, text, f.decoded)
	f.decoded = said.decoded
	for ref, objects := range said.objects {
		c.place(f, path, c.choose(ref, objects), noticed)
	}
	for ref, p := range f.placed {
		switch {
		case len(said.objects[ref]) > 0:
		case said.unsure:
			c.keep(p, noticed) // a mistake may be what is left of it
		default:
			c.miss(p, noticed, doubt)
		}
	}
	return f.news(said.problems)
}

// fail takes that a file is there but cannot be read. It returns the problem if
// it is new.
func (c *catalog) fail(path string, err error, noticed time.Time) []Problem {
	f := c.file(path)
	for _, p := range f.placed {
		c.keep(p, noticed)
	}
	return f.news([]Problem{unreadable(path, err)})
}

func (c *catalog) file(path string) *file {
	f := c.files[path]
	if f == nil {
		f = &file{placed: make(map[translate.Ref]*placed), decoded: make(decodedDocuments)}
		c.files[path] = f
	}
	return f
}

// remove takes that a file is not there any more.
func (c *catalog) remove(path string, noticed time.Time) {
	f := c.files[path]
	if f == nil {
		return
	}
	f.problems, f.decoded = nil, nil
	for _, p := range f.placed {
		c.miss(p, noticed, patience)
	}
	if len(f.placed) == 0 {
		delete(c.files, path)
	}
}

// choose picks from the objects of one file that claim to be the same one: the
// one that is served, or else the first.
func (c *catalog) choose(ref translate.Ref, objects []translate.Object) translate.Object {
	if s := c.served[ref]; s != nil && s.from != nil {
		for _, object := range objects {
			if reflect.DeepEqual(object, s.from.object) {
				return object
			}
		}
	}
	return objects[0]
}

// place takes that a file has an object in this form.
func (c *catalog) place(f *file, path string, object translate.Object, noticed time.Time) {
	ref := object.Ref()
	p := f.placed[ref]
	if p == nil {
		p = &placed{path: path, ref: ref}
		f.placed[ref] = p
		at, _ := slices.BinarySearchFunc(c.copies[ref], path, func(p *placed, path string) int { return strings.Compare(p.path, path) })
		c.copies[ref] = slices.Insert(c.copies[ref], at, p)
		c.touch(ref, noticed)
	}
	if !reflect.DeepEqual(p.object, object) {
		p.object = object
		c.touch(ref, noticed)
	}
	c.keep(p, noticed)
}

// keep takes that an object is there, if only in a form with mistakes.
func (c *catalog) keep(p *placed, noticed time.Time) {
	if c.away[p] {
		delete(c.away, p)
		p.since = time.Time{}
		c.touch(p.ref, noticed)
	}
}

// miss takes that an object is not where it was, and how long that is to be
// doubted.
func (c *catalog) miss(p *placed, noticed time.Time, wait time.Duration) {
	if !c.away[p] {
		c.away[p] = true
		p.since = noticed
		c.touch(p.ref, noticed) // another file may have it
	}
	p.until = noticed.Add(wait)
}

// expire lets go of what has been away for long enough, if its file is as it was
// when it was read: else it is to be read once more.
func (c *catalog) expire(now time.Time, asRead func(path string) bool) {
	for p := range c.away {
		switch {
		case now.Before(p.until):
		case asRead(p.path):
			c.forget(p)
		default:
			p.until = now.Add(patience)
		}
	}
}

func (c *catalog) forget(p *placed) {
	c.touch(p.ref, p.since)
	delete(c.away, p)
	c.copies[p.ref] = slices.DeleteFunc(c.copies[p.ref], func(other *placed) bool { return other == p })
	if len(c.copies[p.ref]) == 0 {
		delete(c.copies, p.ref)
	}
	f := c.files[p.path]
	delete(f.placed, p.ref)
	if len(f.placed) == 0 && f.decoded == nil {
		delete(c.files, p.path)
	}
}

// next is when expire will have something to do; ok is false if never.
func (c *catalog) next() (at time.Time, ok bool) {
	for p := range c.away {
		if !ok || p.until.Before(at) {
			at, ok = p.until, true
		}
	}
	return at, ok
}

// hold takes which domains a site holds, as its status says.
func (c *catalog) hold(site translate.Key, domains []string, now time.Time) {
	ref := translate.Ref{Kind: translate.KindSite, Key: site}
	if s := c.served[ref]; s != nil && s.from != nil && !slices.Equal(s.held, domains) {
		s.held = domains
		c.touch(ref, now)
	}
}

func (c *catalog) touch(ref translate.Ref, noticed time.Time) {
	if before, ok := c.touched[ref]; !ok || noticed.Before(before) {
		c.touched[ref] = noticed
	}
}

// take returns what changed since the last take, and the duplicates that came
// up.
func (c *catalog) take() (map[translate.Ref]change, []Problem) {
	changes := make(map[translate.Ref]change)
	var problems []Problem
	for ref, noticed := range c.touched {
		s := c.served[ref]
		if s == nil {
			s = &serving{}
			c.served[ref] = s
		}
		owner := c.owner(ref, s.from)
		problems = append(problems, c.duplicates(ref, owner)...)
		if change, changed := c.serve(ref, s, owner); changed {
			change.noticed = noticed
			changes[ref] = change
		}
	}
	clear(c.touched)
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Error(), b.Error()) })
	return changes, problems
}

// owner decides which copy of an object is served: the one that is, as long as
// it is there, or else the first by path.
func (c *catalog) owner(ref translate.Ref, current *placed) *placed {
	var first *placed
	for _, p := range c.copies[ref] {
		if c.away[p] {
			continue
		}
		if p == current {
			return p
		}
		if first == nil {
			first = p
		}
	}
	if first == nil && c.away[current] {
		return current // nothing has its place, and it may come back
	}
	return first
}

// duplicates reports the copies that stand beside the one that is served, each
// once.
func (c *catalog) duplicates(ref translate.Ref, owner *placed) []Problem {
	var problems []Problem
	for _, p := range c.copies[ref] {
		duplicate := p != owner && !c.away[p]
		if duplicate && !p.told {
			problems = append(problems, duplicated(p.path, ref, owner.path))
		}
		p.told = duplicate
	}
	return problems
}

func duplicated(path string, ref translate.Ref, first string) Problem {
	problem := "is in " + first + " already, and served from there; remove one of the two"
	if path == first {
		problem = "is in this file more than once; remove all but one"
	}
	return Problem{path, &kube.Error{Object: string(ref.Kind) + " " + ref.Key.String(), Problem: problem}}
}

// serve makes owner's form what is served.
func (c *catalog) serve(ref translate.Ref, s *serving, owner *placed) (change, bool) {
	if owner == nil {
		return c.withdraw(ref, s)
	}
	if s.from == nil && ref.Kind == translate.KindSite {
		c.sites++
	}
	written := s.from == nil || !reflect.DeepEqual(s.form(), owner.object)
	if ref.Kind == translate.KindSite && (s.from == nil || s.from.path != owner.path) {
		c.moved[ref.Key] = owner.path
	}
	s.from = owner
	if written {
		s.generation++
	}
	object := s.dress(owner.object)
	if reflect.DeepEqual(s.object, object) {
		return change{}, false
	}
	s.object = object
	return change{object: object, path: owner.path, written: written}, true
}

func (c *catalog) withdraw(ref translate.Ref, s *serving) (change, bool) {
	if s.from == nil {
		return change{}, false
	}
	gone := change{path: s.from.path, written: true}
	s.from, s.object, s.held = nil, nil, nil
	if ref.Kind == translate.KindSite {
		c.sites--
	}
	return gone, true
}

// form is what was served, as it stood in its file.
func (s *serving) form() translate.Object {
	site, ok := s.object.(*translate.Site)
	if !ok {
		return s.object
	}
	bare := *site
	bare.Generation, bare.Held = 0, nil
	return &bare
}

// dress returns the object with what a cluster would know of it besides: a
// site's generation and its claim.
func (s *serving) dress(object translate.Object) translate.Object {
	site, ok := object.(*translate.Site)
	if !ok {
		return object
	}
	dressed := *site
	dressed.Generation, dressed.Held = s.generation, s.held
	return &dressed
}

// news returns the problems that were not there before, and remembers all.
func (f *file) news(problems []Problem) []Problem {
	before := f.problems
	f.problems = make(map[string]bool, len(problems))
	var fresh []Problem
	for _, p := range problems {
		text := p.Error()
		if !before[text] && !f.problems[text] {
			fresh = append(fresh, p)
		}
		f.problems[text] = true
	}
	return fresh
}
