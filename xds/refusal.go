package xds

import (
	"maps"
	"slices"
	"strings"
)

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

	bare bool // it may have refused something that it has no form of, since standIns

	// clear are refused names of which the client keeps an unfinished form (see
	// restore).
	clear map[string]bool

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
	standIn  *Resource // sent since the client has no form of it; nil: none, or it was answered
	doubtful bool      // standIn was in a refused response, so it is only tried by itself
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
	if e.last.known() && e.last.Version == r.Version {
		e.last = nil
	}
	e.resource, e.standIn, e.doubtful, e.refused = r, nil, false, false
	return e
}

// standsFor returns the exclusion that a version is the stand-in of, or nil.
func (rs *refusals) standsFor(r *Resource) *exclusion {
	if e := rs.excluded[r.Name]; e != nil && e.standIn != nil && e.standIn.Version == r.Version {
		return e
	}
	return nil
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
	if last := st.acked.lookup(r.Type, r.Name); last != nil || !removesLater(r.Type) || st.removedAt.seq > st.acked.seq {
		return last
	}
	last := st.removedAt.lookup(r.Type, r.Name) // It was not told yet that this was gone for a while.
	if last != nil && st.refusedBefore(last) {
		return nil
	}
	return last
}

// try makes a resource that another stream refused a trial of this one. If the
// client has no form of it, and there is a stand-in, it returns that one, to be
// sent and answered first.
func (st *typeState) try(r *Resource, at *Snapshot) (standIn *Resource) {
	has := st.lastAccepted(r)
	if e := st.excluded[r.Name]; e != nil {
		has = e.last
	}
	e := st.exclude(r)
	if has == nil {
		e.standIn = st.standIn(r, at)
	}
	if e.standIn == nil {
		st.trials = append(st.trials, []*Resource{r})
	}
	return e.standIn
}

// standIn returns what this client can be sent in place of a suspect, or nil.
func (rs *refusals) standIn(r *Resource, at *Snapshot) *Resource {
	standIn := at.standIn(r)
	if standIn == nil || rs.refusedBefore(standIn) {
		return nil
	}
	if rs.attempts > 0 {
		rs.taint(standIn) // It may have been in any of the refused responses.
	}
	return standIn
}

// standIns returns what came to be known that can be sent in place of resources
// that the client refused and has no form of.
func (st *typeState) standIns(t Type) (out []*Resource) {
	st.bare = false
	for _, name := range slices.Sorted(maps.Keys(st.excluded)) {
		e := st.excluded[name]
		if now := st.at.lookup(t, name); !e.refused || e.last != nil || e.standIn != nil || now == nil || !st.selects(now) {
			continue
		}
		if e.standIn = st.standIn(e.resource, st.at); e.standIn != nil {
			out = append(out, st.untaint(e.standIn))
		}
	}
	return out
}

// standInAnswered ends the wait for a stand-in: now the version itself is tried.
func (st *typeState) standInAnswered(e *exclusion, accepted bool) {
	if accepted {
		e.last = e.standIn
	}
	e.standIn, e.doubtful = nil, false
	st.trials = append(st.trials, []*Resource{e.resource})
}

// retry queues what of an unanswered push would never be sent again.
func (rs *refusals) retry(p *push) {
	if p.trial {
		rs.trials = append([][]*Resource{p.fresh}, rs.trials...)
		return
	}
	for _, r := range p.fresh {
		if rs.standsFor(r) != nil {
			rs.trials = append([][]*Resource{{r}}, rs.trials...)
		}
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

// hasNone notes that the client has no form of a name, whatever acked has.
func (st *typeState) hasNone(name string) {
	setLast(&st.lastGood, name, nil)
	if e := st.excluded[name]; e != nil {
		e.last, st.bare = nil, true
	}
}

// doubt makes sure that a version which was in a refused response does not count
// as accepted: acked knows only what was current, not since when it was asked for.
func (st *typeState) doubt(r *Resource) {
	if l := st.lingering[r.Name]; l.resource != nil && l.resource.Version == r.Version {
		st.lingering[r.Name] = lingerer{nil, l.since}
	}
	if e := st.excluded[r.Name]; e != nil && e.last != nil && e.last.Version == r.Version {
		e.last, st.bare = nil, true
	}
	last := st.lastAccepted(r)
	if last == nil {
		last = st.removedAt.lookup(r.Type, r.Name) // What acked is yet to come past.
	}
	if last != nil && last.Version == r.Version {
		setLast(&st.lastGood, r.Name, nil)
	}
}

// accept takes an ACK, of everything or only of news.
func (st *typeState) accept(t Type, p *push, whole bool) {
	if !p.trial && len(st.excluded) == 0 && len(st.lastGood) == 0 && len(st.tainted) == 0 {
		return // Nothing is known of any of it that could change.
	}
	for _, r := range p.fresh {
		switch e := st.excluded[r.Name]; {
		case st.standsFor(r) != nil:
			st.standInAnswered(e, true)
		case st.refusedBefore(r), st.excludes(r) && (!p.trial || e.refused):
			continue // It was refused in a response that this one overtook.
		case st.excludes(r):
			delete(st.excluded, r.Name)
		}
		delete(st.tainted, r.Name)
		if now := p.to.lookup(r.Type, r.Name); now != nil && now.Version != r.Version {
			setLast(&st.lastGood, r.Name, r) // A stand-in is not what acked has.
		} else {
			delete(st.lastGood, r.Name)
		}
	}
	for _, name := range p.removes {
		delete(st.tainted, name)
		if _, noted := st.lastGood[name]; noted {
			st.lastGood[name] = nil
		}
	}
	if whole {
		for name := range st.lastGood {
			if p.to.lookup(t, name) == nil {
				st.lastGood[name] = nil // It was not in it, or lingers.
			}
		}
	}
}

// ignore takes an answer that is neither (rule 41): the client holds nothing of
// the push, and nothing is sent again until it asks or something changes.
func (st *typeState) ignore(p *push) {
	st.unheld = append(st.unheld, p.fresh...)
	for _, r := range p.fresh {
		if st.excludes(r) || st.standsFor(r) != nil {
			st.forget(r.Name)
		}
	}
}

// acceptLate takes the ACK of a trial that was overtaken by another push. If that
// one held everything, it took away what the trial brought.
func (s *Session) acceptLate(t Type, p *push) {
	st := &s.types[t]
	for _, r := range p.fresh {
		switch e := st.excluded[r.Name]; {
		case st.standsFor(r) != nil:
			st.standInAnswered(e, true)
		case e != nil && !st.excludes(r) && !s.protocol.whole(t) && !st.refusedBefore(r):
			e.last = r // A newer version is excluded by now.
		case !st.excludes(r) || e.refused:
			continue
		default:
			st.forget(r.Name)
			if now := st.at.lookup(t, r.Name); now != nil && s.protocol.whole(t) {
				st.owed.add(now.slot)
			} else {
				st.lastGood[r.Name] = r
			}
		}
		delete(st.tainted, r.Name)
	}
}

// refuse takes a NACK.
func (s *Session) refuse(t Type, p *push, reason string) {
	st := &s.types[t]
	st.attempts++
	if len(p.fresh) > 0 {
		s.sayGoneAgain(t, p.removes)
	}
	var question, others []*Resource
	named := false
	for _, r := range p.fresh {
		if st.refusedBefore(r) {
			continue // Certain already; the others are still in question.
		}
		matters := st.question(r, reason)
		blamed := types[t].halfTaken && blames(reason, r.Name)
		named = named || blamed
		if blamed || len(p.fresh) == 1 {
			s.refused(t, r, reason)
			continue
		}
		others = append(others, r)
		if matters {
			question = append(question, r)
		}
	}
	if !named {
		st.trials = append(parts(question, reason), st.trials...)
		return
	}
	st.trials = append([][]*Resource{question}, st.trials...)
	if !strings.HasSuffix(reason, truncated) {
		for _, r := range others {
			st.applied(r)
		}
	}
}

// applied notes that a client has something of a refused response, though it
// acknowledged nothing of it.
func (st *typeState) applied(r *Resource) {
	switch e := st.excluded[r.Name]; {
	case st.standsFor(r) != nil:
		e.doubtful = false
	case e != nil:
		e.last = r
	default:
		setLast(&st.lastGood, r.Name, r)
	}
}

// truncated is how Envoy ends words that it does not say in full: beyond 4,096 bytes.
const truncated = "(truncated)"

// question notes that a version may be what was refused, and tells whether that
// matters: it does not if it was replaced since (rule 44).
func (st *typeState) question(r *Resource, reason string) bool {
	st.taint(r)
	if e := st.standsFor(r); e != nil {
		e.doubtful = true
		return true
	}
	st.doubt(r)
	if now := st.at.lookup(r.Type, r.Name); now != nil && now.Version == r.Version {
		st.exclude(r).reason = reason
		return true
	}
	if st.excludes(r) {
		st.forget(r.Name)
	} else if st.excluded[r.Name] == nil {
		setLast(&st.lastGood, r.Name, st.lastAccepted(r)) // acked may yet pass over it.
	}
	return false
}

// refused takes what is certain to have been refused.
func (s *Session) refused(t Type, r *Resource, reason string) {
	st := &s.types[t]
	st.remember(r, reason)
	event := Event{Kind: Refused, Type: t, Resource: r, Reason: reason}
	if e := st.standsFor(r); e != nil {
		st.standInAnswered(e, false)
	} else if e := st.excluded[r.Name]; e != nil && st.excludes(r) {
		e.refused, st.bare = true, true
		if e.last != nil && e.last.Version == r.Version {
			e.last = nil
		}
		if e.last.known() {
			event.Has, event.Needs = e.last, s.unserved(e.last.Needs)
		}
	}
	if types[t].halfTaken {
		setTrue(&st.clear, r.Name)
	}
	s.events = append(s.events, event)
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
		if st.lastGood[name] != nil || st.excluded[name] != nil {
			st.hasNone(name)
		}
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

// blames tells whether a text is Envoy's list of refused resources, "...: NAME:
// reason, NAME: reason", and a name is in it.
func blames(text, name string) bool {
	return strings.Contains(text, "(s) "+name+": ") || strings.Contains(text, ", "+name+": ")
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
	part := s.nextPart(t)
	if len(part) == 0 {
		return nil, nil
	}
	st.trials = st.trials[1:]
	p := &push{from: st.at, to: st.at, fresh: part, trial: true}
	out := &content{upserts: make([]*Resource, len(part))}
	for i, r := range part {
		out.upserts[i] = st.untaint(r)
	}
	if s.protocol.whole(t) {
		p.restored, _ = s.restore(t)
		out = s.everything(t, st.at, out.upserts)
		st.sum = out.sum()
	}
	return p, s.protocol.respond(t, st.at, out, nothing)
}

// nextPart returns what is left of the first part to try of which anything is, nil
// if nothing is left to try.
func (s *Session) nextPart(t Type) []*Resource {
	st := &s.types[t]
	for ; len(st.trials) > 0; st.trials = st.trials[1:] {
		if part := s.current(t, st.trials[0]); len(part) > 0 {
			return part
		}
	}
	return nil
}

// current returns those of a part that are still served, asked for and excluded.
func (s *Session) current(t Type, part []*Resource) []*Resource {
	st := &s.types[t]
	var out []*Resource
	for _, r := range part {
		e := st.excluded[r.Name]
		now := st.at.lookup(t, r.Name)
		switch {
		case e == nil || st.standsFor(r) == nil && (e.refused || e.resource.Version != r.Version):
		case now == nil || now.Version != e.resource.Version || !st.selects(now):
			st.forget(r.Name) // Should it be asked for again, it is sent like any other.
		default:
			out = append(out, r.in(now))
		}
	}
	return out
}

// restore returns what clears away the unfinished forms that a client keeps of
// what it refused (see types.halfTaken): the form that it had before, sent once
// more, or a removal where it had none.
//
// Envoy 1.40 keeps a refused cluster among those that warm up. So the same bytes,
// sent again, are no news to it, and are acknowledged; and it acknowledges nothing
// more of the type as long as one warms up.
func (s *Session) restore(t Type) (back []*Resource, away []string) {
	st := &s.types[t]
	for _, name := range slices.Sorted(maps.Keys(st.clear)) {
		last, now := st.lastGood[name], st.at.lookup(t, name)
		if e := st.excluded[name]; e != nil && e.refused {
			last = e.last
		} else if now != nil {
			continue // It was replaced.
		}
		switch {
		case now == nil && !st.asks(name) || now != nil && !st.selects(now):
		case now != nil && st.excluded[name].standIn != nil: // That is on its way.
		case last == nil || now == nil && (st.gone[name] || !st.removalWaits(t, name)):
			away = append(away, name)
		case last.known():
			back = append(back, last)
		}
	}
	st.clear = nil
	return back, away
}

// removalWaits tells that it was not said yet that a name is gone.
func (st *typeState) removalWaits(t Type, name string) bool {
	_, lingers := st.lingering[name]
	return lingers || st.removedAt.lookup(t, name) != nil
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
