package catalog

import (
	"slices"
	"time"
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

// keep takes that an object is there, if only in a form with mistakes.
func (c *Catalog) keep(p *placed, noticed time.Time) {
	if c.away[p] {
		delete(c.away, p)
		p.since = time.Time{}
		c.touch(p.ref, noticed)
	}
}

// miss takes that an object is not where it was, and how long that is to be
// doubted.
func (c *Catalog) miss(p *placed, noticed time.Time, wait time.Duration) {
	if !c.away[p] {
		c.away[p] = true
		p.since = noticed
		c.touch(p.ref, noticed) // another file may have it
	}
	p.until = noticed.Add(wait)
}

// Expire lets go of what has been away for long enough, if its file is as it was
// when it was read: else it is to be read once more.
func (c *Catalog) Expire(now time.Time, asRead func(path string) bool) {
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

func (c *Catalog) forget(p *placed) {
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

// Next is when expire will have something to do; ok is false if never.
func (c *Catalog) Next() (at time.Time, ok bool) {
	for p := range c.away {
		if !ok || p.until.Before(at) {
			at, ok = p.until, true
		}
	}
	return at, ok
}
