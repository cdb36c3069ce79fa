package proxies

import (
	"my-company.com/staticsite-operator/xds"
)

// exception is what a stream does not have, and since when: the stream holds all that
// it acknowledged up to that snapshot. Table may miss a state of the stream that was
// followed by a different one at once, and since is earlier then than it could be.
type exception struct {
	xds.Exception
	since uint64
}

// Touched is a resource of which a proxy says something else than before. That concerns
// the sites with this resource that changed after a snapshot.
type Touched struct {
	Name  xds.ResourceName
	After uint64
}

// Count is how many serving proxies hold a site, and how many do not.
type Count struct {
	Acknowledged int    // proxies that hold the site's snapshot, and no exception is about it
	Refused      int    // proxies that refuse one of its resources
	Trying       int    // proxies that are asked again after a refusal, and refuse none
	Words        string // of one that refuses
}

// except replaces the exceptions of a stream and appends what that touches.
func (t *Table) except(id uint64, old, new xds.StreamState, touched []Touched) []Touched {
	for name := range old.Exceptions {
		if _, still := new.Exceptions[name]; !still {
			delete(t.exceptions[name], id)
			if len(t.exceptions[name]) == 0 {
				delete(t.exceptions, name)
			}
			touched = append(touched, Touched{name, 0})
		}
	}
	for name, e := range new.Exceptions {
		was, known := t.exceptions[name][id]
		before := old.Types[name.Type].Acked
		if known && was.Exception == e { // It is about more sites if more is acknowledged.
			if before != new.Types[name.Type].Acked {
				touched = append(touched, Touched{name, before})
			}
			continue
		}
		if t.exceptions[name] == nil {
			t.exceptions[name] = make(map[uint64]exception)
		}
		since := before
		if known {
			since = was.since
		}
		t.exceptions[name][id] = exception{e, since}
		touched = append(touched, Touched{name, 0})
	}
	return touched
}

// Exceptions reports whether any proxy has an exception.
func (t *Table) Exceptions() bool { return len(t.exceptions) > 0 }

// Of counts the proxies that hold a site with these resources, of which one changed
// last in snapshot seq. Shared reports whether a resource is of several sites; it is
// asked only for resources that a proxy has an exception of.
func (t *Table) Of(resources []xds.ResourceName, seq uint64, shared func(xds.ResourceName) bool) Count {
	c := t.excepted(resources, seq, shared)
	for at, n := range t.holders {
		if at >= seq {
			c.Acknowledged += n
		}
	}
	c.Acknowledged = max(0, c.Acknowledged-c.Refused-c.Trying)
	return c
}

// excepted counts the proxies that refuse a resource of a site, and those that are
// still being asked again.
//
// A refusal of a resource that several sites share is about those of them that
// changed since the proxy acknowledged it: what the others are, it has. One of an
// older form is about no site that has changed since.
func (t *Table) excepted(resources []xds.ResourceName, seq uint64, shared func(xds.ResourceName) bool) (c Count) {
	if len(t.exceptions) == 0 {
		return c
	}
	refuses := make(map[uint64]bool) // by stream; false: it is asked again
	first := uint64(0)
	for _, name := range resources {
		for id, e := range t.exceptions[name] {
			if seq <= e.since && shared(name) || seq > t.serving[id].Types[name.Type].Acked {
				continue
			}
			refuses[id] = refuses[id] || e.Refused
			if e.Refused && (first == 0 || id <= first) {
				first, c.Words = id, e.Reason
			}
		}
	}
	for _, r := range refuses {
		if r {
			c.Refused++
		} else {
			c.Trying++
		}
	}
	return c
}
