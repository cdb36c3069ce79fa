package catalog

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"my-company.com/staticsite-operator/decode"
	"my-company.com/staticsite-operator/object"
)

// serving is what was handed over of an object. It outlives the object, so that
// a generation never comes back with another meaning.
type serving struct {
	from       *placed       // nil: the object is gone
	object     object.Object // with generation and claim
	generation int64         // of a site
	held       []string      // of a site: what its status says it holds
}

// Change is what became of one object.
type Change struct {
	Object  object.Object // nil: gone
	Path    string        // where it stands, or stood
	Written bool          // the file's doing; otherwise the status's
	Noticed time.Time
}

// Hold takes which domains a site holds, as its status says.
func (c *Catalog) Hold(site object.Key, domains []string, now time.Time) {
	ref := object.Ref{Kind: object.KindSite, Key: site}
	if s := c.served[ref]; s != nil && s.from != nil && !slices.Equal(s.held, domains) {
		s.held = domains
		c.touch(ref, now)
	}
}

func (c *Catalog) touch(ref object.Ref, noticed time.Time) {
	if before, ok := c.touched[ref]; !ok || noticed.Before(before) {
		c.touched[ref] = noticed
	}
}

// Take returns what changed since the last take, and the duplicates that came
// up.
func (c *Catalog) Take() (map[object.Ref]Change, []Problem) {
	changes := make(map[object.Ref]Change)
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
			change.Noticed = noticed
			changes[ref] = change
		}
	}
	clear(c.touched)
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Error(), b.Error()) })
	return changes, problems
}

// owner decides which copy of an object is served: the one that is, as long as
// it is there, or else the first by path.
func (c *Catalog) owner(ref object.Ref, current *placed) *placed {
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
func (c *Catalog) duplicates(ref object.Ref, owner *placed) []Problem {
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

func duplicated(path string, ref object.Ref, first string) Problem {
	problem := "is in " + first + " already, and served from there; remove one of the two"
	if path == first {
		problem = "is in this file more than once; remove all but one"
	}
	return Problem{path, &decode.Error{Object: string(ref.Kind) + " " + ref.Key.String(), Problem: problem}}
}

// serve makes owner's form what is served.
func (c *Catalog) serve(ref object.Ref, s *serving, owner *placed) (Change, bool) {
	if owner == nil {
		return c.withdraw(ref, s)
	}
	if s.from == nil && ref.Kind == object.KindSite {
		c.sites++
	}
	written := s.from == nil || !reflect.DeepEqual(s.form(), owner.object)
	if ref.Kind == object.KindSite && (s.from == nil || s.from.path != owner.path) {
		c.moved[ref.Key] = owner.path
	}
	s.from = owner
	if written {
		s.generation++
	}
	dressed := s.dress(owner.object)
	if reflect.DeepEqual(s.object, dressed) {
		return Change{}, false
	}
	s.object = dressed
	return Change{Object: dressed, Path: owner.path, Written: written}, true
}

func (c *Catalog) withdraw(ref object.Ref, s *serving) (Change, bool) {
	if s.from == nil {
		return Change{}, false
	}
	gone := Change{Path: s.from.path, Written: true}
	s.from, s.object, s.held = nil, nil, nil
	if ref.Kind == object.KindSite {
		c.sites--
	}
	return gone, true
}

// form is what was served, as it stood in its file.
func (s *serving) form() object.Object {
	site, ok := s.object.(*object.Site)
	if !ok {
		return s.object
	}
	bare := *site
	bare.Generation, bare.Held = 0, nil
	return &bare
}

// dress returns an object with what a cluster would know of it besides: a site's
// generation and its claim.
func (s *serving) dress(bare object.Object) object.Object {
	site, ok := bare.(*object.Site)
	if !ok {
		return bare
	}
	dressed := *site
	dressed.Generation, dressed.Held = s.generation, s.held
	return &dressed
}

// Sites returns how many StaticSites are served.
func (c *Catalog) Sites() int { return c.sites }

// Moved returns the sites that are served from another file than when it was asked
// last, with that file.
func (c *Catalog) Moved() map[object.Key]string {
	moved := c.moved
	c.moved = make(map[object.Key]string)
	return moved
}
