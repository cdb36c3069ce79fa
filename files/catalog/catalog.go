package catalog

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"my-company.com/staticsite-operator/object"
)

// Catalog knows which objects the files hold and which of them are served. It
// does no I/O and has no clock: what files say goes in, changes come out.
//
// Invariant: an object that is served goes on being served, in its last good
// form, until its file has been away for as long as patience, or there, without
// the object, without a mistake and unchanged, for as long as doubt.
type Catalog struct {
	files  map[string]*file
	copies map[object.Ref][]*placed // by path; more than one means duplicates
	served map[object.Ref]*serving
	sites  int // how many of served are StaticSites

	away    map[*placed]bool         // the copies that are away
	touched map[object.Ref]time.Time // what take must look at, and when its change was noticed
	moved   map[object.Key]string    // sites that are served from another file than when Moved was called
}

// file is what is remembered of one file.
type file struct {
	placed   map[object.Ref]*placed
	decoded  decodedDocuments
	problems map[string]bool // reported, and still there
}

// placed is an object in a file, in the last good form that it had there.
type placed struct {
	path   string
	ref    object.Ref
	object object.Object
	since  time.Time // when it was noticed to be away; zero while it is there
	until  time.Time // when that is believed, unless the file changes again
	told   bool      // that it is a duplicate
}

// New returns a catalog of no files.
func New() *Catalog {
	return &Catalog{
		files:   make(map[string]*file),
		copies:  make(map[object.Ref][]*placed),
		served:  make(map[object.Ref]*serving),
		away:    make(map[*placed]bool),
		touched: make(map[object.Ref]time.Time),
		moved:   make(map[object.Key]string),
	}
}

// Put takes what a file says now. It returns the problems in it that were not
// there before.
func (c *Catalog) Put(path string, text []byte, noticed time.Time) []Problem {
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

// Fail takes that a file is there but cannot be read. It returns the problem if
// it is new.
func (c *Catalog) Fail(path string, err error, noticed time.Time) []Problem {
	f := c.file(path)
	for _, p := range f.placed {
		c.keep(p, noticed)
	}
	return f.news([]Problem{Unreadable(path, err)})
}

func (c *Catalog) file(path string) *file {
	f := c.files[path]
	if f == nil {
		f = &file{placed: make(map[object.Ref]*placed), decoded: make(decodedDocuments)}
		c.files[path] = f
	}
	return f
}

// Remove takes that a file is not there any more.
func (c *Catalog) Remove(path string, noticed time.Time) {
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
func (c *Catalog) choose(ref object.Ref, objects []object.Object) object.Object {
	if s := c.served[ref]; s != nil && s.from != nil {
		for _, o := range objects {
			if reflect.DeepEqual(o, s.from.object) {
				return o
			}
		}
	}
	return objects[0]
}

// place takes that a file has an object in this form.
func (c *Catalog) place(f *file, path string, said object.Object, noticed time.Time) {
	ref := said.Ref()
	p := f.placed[ref]
	if p == nil {
		p = &placed{path: path, ref: ref}
		f.placed[ref] = p
		at, _ := slices.BinarySearchFunc(c.copies[ref], path, func(p *placed, path string) int { return strings.Compare(p.path, path) })
		c.copies[ref] = slices.Insert(c.copies[ref], at, p)
		c.touch(ref, noticed)
	}
	if !reflect.DeepEqual(p.object, said) {
		p.object = said
		c.touch(ref, noticed)
	}
	c.keep(p, noticed)
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
