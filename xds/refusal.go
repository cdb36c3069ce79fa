package xds

import "strings"

// refusals is what a stream refused of one type, and what is still being tried
// (design.md section 7).
//
// After a NACK nothing of the response counts as held. All that it may be about
// is excluded: kept out of every ordinary push. Then the excluded are tried again
// in parts, alone, and with other bytes (rule 90): a part that is acknowledged is
// excluded no more, a part that is refused is halved, and one that cannot be
// halved is what the client refused. That version is never sent to it again
// (rule 42); another version of it is sent at once (rule 43).
type refusals struct {
	excluded map[string]*exclusion
	trials   [][]*Resource // parts to try, in this order
	attempts int           // distinguishes the encodings; counts up with each NACK

	// tainted are the versions that were in a refused response and not accepted
	// since, by name: sent again, they are sent in other bytes (rule 90).
	tainted map[string]string

	// refused are the versions that were certainly refused, with the client's
	// words. At most maxRefused are remembered.
	refused map[versioned]string

	// lastGood is the last accepted version (nil: none) of names that were
	// excluded once, until another version of them is accepted. Of all other names
	// it is what acked has.
	lastGood map[string]*Resource
}

// versioned is one version of a resource.
type versioned struct{ name, version string }

func versionOf(r *Resource) versioned { return versioned{r.Name, r.Version} }

// maxRefused bounds what a client can make us remember by refusing.
const maxRefused = 10_000

// exclusion is a resource that the client refused, or may have refused.
type exclusion struct {
	resource *Resource
	last     *Resource // the last version that the client accepted, or nil
	refused  bool      // certainly; else it is still to be tried
	reason   string    // the client's words, once it has said something
}

// excludes tells whether this very version is excluded.
func (rs *refusals) excludes(r *Resource) bool {
	e := rs.excluded[r.Name]
	return e != nil && e.resource.Version == r.Version
}

// exclude keeps a resource out of ordinary pushes.
func (st *typeState) exclude(r *Resource) *exclusion {
	e := st.excluded[r.Name]
	if e == nil {
		e = &exclusion{last: st.lastAccepted(r)}
		if st.excluded == nil {
			st.excluded = make(map[string]*exclusion)
		}
		st.excluded[r.Name] = e
	}
	if e.last != nil && e.last.Version == r.Version {
		e.last = nil
	}
	e.resource, e.refused = r, false
	return e
}

// lastAccepted returns the last version of a name, not excluded so far, that the
// client accepted, or nil.
func (st *typeState) lastAccepted(r *Resource) *Resource {
	if l := st.lingering[r.Name]; l.resource != nil {
		return l.resource
	}
	if last, known := st.lastGood[r.Name]; known {
		return last
	}
	if st.acked == nil {
		return nil
	}
	return st.acked.lookup(r.Type, r.Name)
}

// try makes a resource that another stream refused a trial of this one.
func (st *typeState) try(r *Resource) {
	st.exclude(r)
	st.trials = append(st.trials, []*Resource{r})
}

// retry queues a trial once more that nobody answered.
func (rs *refusals) retry(p *push) {
	if p != nil && p.trial {
		rs.trials = append([][]*Resource{p.fresh}, rs.trials...)
	}
}

// refusedBefore tells whether this client refused this very version, perhaps
// many versions ago.
func (rs *refusals) refusedBefore(r *Resource) bool {
	_, ok := rs.refused[versionOf(r)]
	return ok
}

// forget ends the exclusion of a name: it is gone, or has another version now.
func (rs *refusals) forget(name string) {
	e := rs.excluded[name]
	if e == nil {
		return
	}
	setLast(&rs.lastGood, name, e.last)
	delete(rs.excluded, name)
}

func setLast(last *map[string]*Resource, name string, r *Resource) {
	if *last == nil {
		*last = make(map[string]*Resource)
	}
	(*last)[name] = r
}

// doubt makes sure that a version which was in a refused response does not count
// as accepted: acked knows only what was current, not since when it was asked for.
func (st *typeState) doubt(r *Resource) {
	if l := st.lingering[r.Name]; l.resource != nil && l.resource.Version == r.Version {
		st.lingering[r.Name] = lingerer{nil, l.since}
	}
	if last := st.lastAccepted(r); last != nil && last.Version == r.Version {
		setLast(&st.lastGood, r.Name, nil)
	}
}

// accept takes an ACK.
func (st *typeState) accept(p *push) {
	if !p.trial && len(st.lastGood) == 0 && len(st.tainted) == 0 {
		return // Nothing is known of any of it that could change.
	}
	for _, r := range p.fresh {
		if st.excludes(r) {
			if !p.trial {
				continue // It was refused in a response that this one overtook.
			}
			delete(st.excluded, r.Name)
		}
		delete(st.lastGood, r.Name)
		delete(st.tainted, r.Name)
	}
	for _, name := range p.removes {
		delete(st.tainted, name)
	}
}

// ignore takes an answer that is neither (rule 41): the client holds nothing of
// the push, and nothing is sent again until it asks or something changes.
func (st *typeState) ignore(p *push) {
	st.unheld = append(st.unheld, p.fresh...)
	for _, r := range p.fresh {
		if st.excludes(r) {
			st.forget(r.Name)
		}
	}
}

// acceptLate takes the ACK of a trial that was overtaken by another push. If that
// one held everything, it took away what the trial brought.
func (s *Session) acceptLate(t Type, p *push) {
	st := &s.types[t]
	for _, r := range p.fresh {
		if st.excludes(r) {
			st.forget(r.Name)
			if now := st.at.lookup(t, r.Name); now != nil && s.protocol.whole(t) {
				st.owed.add(now.slot)
			} else {
				st.lastGood[r.Name] = r
			}
			delete(st.tainted, r.Name)
			s.changed = true
		}
	}
}

// refuse takes a NACK.
func (s *Session) refuse(t Type, p *push, reason string) {
	st := &s.types[t]
	st.attempts++
	if len(p.fresh) > 0 {
		s.sayGoneAgain(t, p.removes)
	}
	var current []*Resource // Rule 44: what was replaced since is not in question any more.
	for _, r := range p.fresh {
		if st.refusedBefore(r) {
			continue // Certain already; the others are still in question.
		}
		st.taint(r)
		st.doubt(r)
		if now := st.at.lookup(t, r.Name); now != nil && now.Version == r.Version {
			st.exclude(r).reason = reason
			current = append(current, r)
		} else if st.excludes(r) {
			st.forget(r.Name)
		}
	}
	if len(p.fresh) > 1 {
		st.trials = append(parts(current, reason), st.trials...)
		return
	}
	for _, r := range p.fresh {
		if e := st.excluded[r.Name]; e != nil && st.excludes(r) {
			e.refused = true
		}
		st.remember(r, reason)
		s.events = append(s.events, Event{Kind: Refused, Type: t, Resource: r, Reason: reason})
	}
}

// remember notes a version that was certainly refused.
func (rs *refusals) remember(r *Resource, reason string) {
	if rs.refused == nil {
		rs.refused = make(map[versioned]string)
	}
	if len(rs.refused) < maxRefused {
		rs.refused[versionOf(r)] = reason
	}
}

// sayGoneAgain repeats the removals of a refused response: they were applied, or
// not (rule 45).
func (s *Session) sayGoneAgain(t Type, names []string) {
	st := &s.types[t]
	for _, name := range names {
		if st.asks(name) && st.at.lookup(t, name) == nil {
			setTrue(&st.gone, name)
			st.answer = st.answer || s.protocol.whole(t)
		}
	}
}

// parts cuts a refused set: those that the client's words name apart, each
// alone and last, else in halves.
func parts(refused []*Resource, reason string) [][]*Resource {
	var rest []*Resource
	var named [][]*Resource
	for _, r := range refused {
		if mentions(reason, r.Name) {
			named = append(named, []*Resource{r})
		} else {
			rest = append(rest, r)
		}
	}
	switch {
	case len(refused) == 0:
		return nil
	case len(named) == 0:
		return [][]*Resource{refused[:len(refused)/2], refused[len(refused)/2:]}
	case len(rest) == 0:
		return named
	}
	return append([][]*Resource{rest}, named...)
}

// mentions tells whether a text contains a name as a word of its own.
func mentions(text, name string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(name)
		if (start == 0 || !nameByte(text[start-1])) && (end == len(text) || !nameByte(text[end]) || text[end] == '.') {
			return true
		}
		from = start + 1
	}
}

func nameByte(b byte) bool {
	return b == '-' || b == '_' || b == '.' || b == '/' ||
		'0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// trial returns the push of the next part to try. Trials come after everything
// else, one at a time, and concern nobody else.
func (s *Session) trial(t Type) (*push, *Response) {
	st := &s.types[t]
	if !st.active || st.busy() || st.inflight != nil && s.protocol.whole(t) {
		return nil, nil // A response that holds everything is no trial of a part while another is open.
	}
	for len(st.trials) > 0 {
		part := s.current(t, st.trials[0])
		st.trials = st.trials[1:]
		if len(part) == 0 {
			continue
		}
		p := &push{from: st.at, to: st.at, fresh: part, trial: true}
		out := &content{upserts: make([]*Resource, len(part))}
		for i, r := range part {
			out.upserts[i] = st.untaint(r)
		}
		if s.protocol.whole(t) {
			out = s.everything(t, st.at, out.upserts)
			st.sum = out.sum()
		}
		return p, s.protocol.respond(t, st.at, out, nothing)
	}
	return nil, nil
}

// current returns those of a part that are still served, asked for and excluded.
func (s *Session) current(t Type, part []*Resource) []*Resource {
	st := &s.types[t]
	var out []*Resource
	for _, r := range part {
		e := st.excluded[r.Name]
		now := st.at.lookup(t, r.Name)
		switch {
		case e == nil || e.refused || e.resource.Version != r.Version:
		case now == nil || now.Version != r.Version || !st.selects(now):
			st.forget(r.Name) // Should it be asked for again, it is sent like any other.
		default:
			out = append(out, now)
		}
	}
	return out
}

// taint notes that the version was, or may have been, in a refused response.
func (rs *refusals) taint(r *Resource) {
	if r.Again == nil {
		return
	}
	if rs.tainted == nil {
		rs.tainted = make(map[string]string)
	}
	rs.tainted[r.Name] = r.Version
}

// untaint returns the resource in other bytes than it was refused in, if it was.
func (rs *refusals) untaint(r *Resource) *Resource {
	if rs.tainted[r.Name] != r.Version {
		return r
	}
	other, err := r.again(rs.attempts)
	if err != nil { // The caller's Again is broken; the first form may still do.
		return r
	}
	return other
}
