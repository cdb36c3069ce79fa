package xds

import (
	"strings"
	"time"
)

// refusals is what a stream refused of one type, and what is still being tried
// (docs/decisions.md, "Refusals are narrowed").
//
// After a NACK nothing of the response counts as held, except clusters that Envoy did
// not name (see refuse). All that the NACK may be about is excluded: kept out of every ordinary push. Then the excluded are tried again
// in parts, alone, and with other bytes (rule 90): a part that is acknowledged is
// excluded no more, a part that is refused is halved, and one that cannot be
// halved is what the client refused. That version is never sent to it again
// (rule 42), unless the reason may be outside of it (again.go); another version of it
// is sent at once (rule 43).
type refusals struct {
	ledger
	trials   [][]*Resource // parts to try, in this order
	untried  [][]*Resource // parts that were sent and never answered: first, once the client answers anything
	attempts int           // distinguishes the encodings; counts up with each NACK, and with each response that may have been refused unheard

	// refused are the versions that were certainly refused, with the client's
	// words. At most maxRefused are remembered.
	refused map[versioned]string

	// unfinished are refused names of which the client keeps an unfinished form (see
	// restore).
	unfinished map[string]bool
}

// versioned is one version of a resource.
type versioned struct{ name, version string }

func versionOf(r *Resource) versioned { return versioned{r.Name, r.Version} }

// maxRefused bounds what a client can make us remember by refusing.
const maxRefused = 10_000

// exclusion is a version that is served, and that the client refused, or may have
// refused, or that a different client refused.
//
// Invariant: the name exists in at; its exclusion ends when it is gone (see follow).
// Invariant: while a response with the version may yet be answered, no other version
// stands in for it, except in lists: nothing older follows what is being tried (see
// upserts and trial).
type exclusion struct {
	resource *Resource
	refused  bool      // certainly; else it is still to be tried
	reason   string    // the client's words, once it has said something
	standIn  *Resource // sent in its place, and not answered yet: see Session.inPlace; nil: none
	doubtful bool      // standIn came back in a refused response, so it is tried alone
	alone    bool      // a standIn was refused too, so no more is sent
}

func (e *exclusion) standsIn(r *Resource) bool {
	return e != nil && e.standIn != nil && e.standIn.Version == r.Version
}

// exclusion returns what is excluded of a name, or nil.
func (l ledger) exclusion(name string) *exclusion {
	if rec := l[name]; rec != nil {
		return rec.excluded
	}
	return nil
}

// excludes reports whether this very version is excluded.
func (l ledger) excludes(r *Resource) bool {
	e := l.exclusion(r.Name)
	return e != nil && e.resource.Version == r.Version
}

// exclude keeps a resource out of ordinary pushes.
func (st *typeState) exclude(r *Resource) *exclusion {
	e := &exclusion{resource: r}
	st.record(r.Type, r.Name).excluded = e
	return e
}

// forget ends the exclusion of a name: it is gone, or has another version now.
func (l ledger) forget(name string) {
	if rec := l[name]; rec != nil {
		rec.excluded, rec.keeps = nil, false
	}
}

// refusedBefore reports whether this client refused this very version, perhaps
// many versions ago.
func (rs *refusals) refusedBefore(r *Resource) bool {
	_, ok := rs.refused[versionOf(r)]
	return ok
}

// refuse takes a NACK: of these versions only, whatever was sent since (rule 44).
func (s *Session) refuse(t Type, p *push, reason string) {
	st := &s.types[t]
	words := Words(reason)
	st.attempts++
	st.recall(t)
	for _, name := range p.removes { // They were applied, or not (rule 45): say it again.
		had := st.accepted(t, name)
		st.hasNone(t, name)
		if len(p.fresh) > 0 { // Else it refuses to lose something, and would again.
			st.ledger[name].mayHave = had
			st.sayGone(t, name)
			if st.behind == nil {
				st.behind = p.from
			}
		}
	}
	if p.all != nil {
		st.relist = len(p.fresh) > 0
		st.leftIn(p)
	}
	var question, others []*Resource
	named := false
	once := st.acceptedBefore(p.fresh)
	for _, r := range p.fresh {
		switch {
		case st.refusedBefore(r):
			continue // Certain already; the others are still in question.
		case once[r.Name] && len(once) < len(p.fresh):
			s.doubt(r)
			if now := st.at.lookup(t, r.Name); now != nil {
				st.owed.add(now.slot) // It was sent once more because it is needed.
			}
			continue
		}
		matters := s.question(r, words)
		blamed := types[t].halfTaken && blames(reason, r.Name)
		named = named || blamed
		certain := blamed || len(p.fresh) == 1
		forgot := t == Endpoint || st.ledger[r.Name].mayHave != nil
		if now := st.at.lookup(t, r.Name); forgot && now != nil && (certain || !matters) {
			st.owed.add(now.slot) // The client may have lost its older form: by a cluster that was sent anew (rule 50), or by a removal that it refused. So one is sent again.
		}
		if certain {
			s.refused(t, r, words)
			continue
		}
		others = append(others, r)
		if matters {
			question = append(question, r)
		}
	}
	st.acked = p.to // Answered, though refused: what the client lacks is in the ledger.
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

// sayGone makes it due once more that a resource is gone, which a client may have
// refused to hear.
func (st *typeState) sayGone(t Type, name string) {
	switch now := st.at.lookup(t, name); {
	case now == nil && st.asks(name):
		setTrue(&st.gone, name)
	case now != nil && st.selects(now) && st.excludes(now):
		st.owed.add(now.slot) // It refused what there is now, too: see upserts.
	}
}

// truncated is how Envoy ends words that it does not say in full: beyond 4,096 bytes.
const truncated = "(truncated)"

// applied notes that a client has something of a refused response, though it
// acknowledged nothing of it.
func (st *typeState) applied(r *Resource) {
	rec := st.ledger[r.Name]
	rec.has, rec.mayHave = r, nil
	if rec.excluded.standsIn(r) {
		rec.excluded.doubtful = false
	}
}

// question notes that a version may be what was refused, and reports whether that
// matters: it does not if it was replaced since (rule 44).
func (s *Session) question(r *Resource, reason string) bool {
	st := &s.types[r.Type]
	rec := s.doubt(r)
	rec.loses(r)
	if rec.excluded.standsIn(r) {
		rec.excluded.doubtful = true
		return true
	}
	if now := st.at.lookup(r.Type, r.Name); now == nil || now.Version != r.Version {
		return false
	}
	st.exclude(r).reason = reason
	return true
}

// doubt notes that a version was, or may have been, in a refused response.
func (s *Session) doubt(r *Resource) *record {
	rec := s.types[r.Type].record(r.Type, r.Name)
	rec.doubted, rec.upTo = r.Version, s.nonces
	return rec
}

// acceptedBefore returns the names of those resources of a refused response that the
// client had accepted before in the very same version: they are not to blame.
func (st *typeState) acceptedBefore(resources []*Resource) map[string]bool {
	names := make(map[string]bool)
	for _, r := range resources {
		if has := st.accepted(r.Type, r.Name); has.known() && has.Version == r.Version && st.wants(r.Type, r.Name) {
			names[r.Name] = true
		}
	}
	return names
}

// loses notes that a client does not have a version after all, if it has it.
func (rec *record) loses(r *Resource) {
	if rec.has != nil && rec.has.Version == r.Version {
		rec.has = nil
	}
}

// refused takes what is certain to have been refused.
func (s *Session) refused(t Type, r *Resource, reason string) {
	st := &s.types[t]
	st.remember(r, reason)
	st.retrial.at = time.Time{} // The pause begins anew.
	event := Event{Kind: Refused, Type: t, Resource: r, Reason: reason}
	rec := st.ledger[r.Name]
	if e := rec.excluded; e.standsIn(r) {
		e.alone = true
		st.standInAnswered(e)
	} else if st.excludes(r) {
		e.refused = true
		if rec.has.known() {
			event.Has = rec.has
		}
	}
	if types[t].halfTaken {
		setTrue(&st.unfinished, r.Name)
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

// ignore takes an answer that is neither ACK nor NACK (rule 41): the client holds
// nothing of the push, and nothing is sent again until it asks or something changes.
func (st *typeState) ignore(p *push) {
	if st.inflight == nil {
		st.unheld = append(st.unheld, p.fresh...)
	}
	for _, r := range p.fresh {
		if e := st.exclusion(r.Name); e.standsIn(r) || st.excludes(r) {
			st.forget(r.Name)
		}
	}
}

// untaint returns the resource in other bytes than it was refused in, if it may
// have been.
func (rs *refusals) untaint(r *Resource) *Resource {
	if rec := rs.ledger[r.Name]; rec == nil || rec.doubted == "" {
		return r
	}
	other, err := r.again(rs.attempts)
	if err != nil { // The caller's Again is broken; the first form may still do.
		return r
	}
	return other
}

// blames reports whether a text is Envoy's list of refused resources, "...: NAME:
// reason, NAME: reason", and a name is in it.
func blames(text, name string) bool {
	return strings.Contains(text, "(s) "+name+": ") || strings.Contains(text, ", "+name+": ")
}

// mentions reports whether a text contains a name as a word of its own.
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
