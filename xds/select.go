package xds

import (
	"maps"
	"slices"
)

// This file picks from a batch what concerns a client, and says what it lost.

// simple reports whether the client wants all that a batch has, and nothing else is
// due: then it is sent what others are sent.
func (st *typeState) simple(b *batch) bool {
	if st.owed.count > 0 || len(b.suspects) > 0 {
		return false
	}
	if st.wildcard && len(st.ledger) == 0 && len(st.refused) == 0 {
		return true
	}
	return !slices.ContainsFunc(b.upserts.upserts, func(r *Resource) bool {
		return !st.selects(r) || st.ledger[r.Name] != nil || st.refusedBefore(r)
	})
}

// upserts moves the client to a snapshot and returns what it must be sent for it,
// and names that it must hear of and that it gets no form of: it refused them. What
// is excluded stays out: if it is due all the same, for the client asked for it or
// forgot what it had, another form is sent in its place. What is new and suspect
// becomes a trial.
func (s *Session) upserts(t Type, to *Snapshot) (out *content, none []string) {
	st := &s.types[t]
	b := to.since(st.at, t)
	for _, r := range b.removed {
		if st.owed.has(r.slot) && st.selects(r) {
			st.record(t, r.Name) // It was not sent: the trail does not tell what the client has.
		}
	}
	s.follow(st, b)
	if to != st.at && (len(st.trail) > 0 || len(b.removed) > 0) {
		st.trail = append(st.trail, st.at)
	}
	st.at = to
	if st.simple(b) {
		return b.upserts.and(st.standIns()), nil
	}
	var news slotSet // due only because it changed: the client keeps what it has
	for _, list := range [...][]*Resource{b.upserts.upserts, b.suspects} {
		for _, r := range list {
			if st.selects(r) && !st.owed.has(r.slot) {
				st.owed.add(r.slot)
				news.add(r.slot)
			}
		}
	}
	table := &to.tables[t]
	if st.inflight == nil && st.owed.count == table.count && len(st.ledger) == 0 && len(st.refused) == 0 &&
		(st.wildcard || st.named.count == table.count) {
		st.owed.clear()
		all := to.since(empty, t)
		var standIns, suspects []*Resource
		for _, r := range all.suspects {
			st.exclude(r)
			if form := s.inPlace(t, r, true); form != nil {
				standIns = append(standIns, form)
			} else {
				suspects = append(suspects, r)
			}
		}
		st.try(suspects)
		return all.upserts.and(standIns), nil
	}
	out = new(content)
	var kept slotSet
	var excluded, suspects []*Resource
	isNew := make(map[*Resource]bool) // of the excluded
	for slot := range st.owed.each {
		r := table.at(slot)
		switch {
		case r == nil:
		case !st.selects(r):
			kept.add(slot) // Due as soon as it is asked for: see oweEndpoints.
		case st.busy() && !s.protocol.whole(t) && s.snap.lookup(t, r.Name) == nil:
			kept.add(slot) // It is gone: there is no hurry to send it.
		case st.excludes(r):
			excluded = append(excluded, r)
		case st.refusedBefore(r), to.suspect(r):
			e := st.exclude(r)
			e.reason, e.refused = st.refused[versionOf(r)]
			excluded, isNew[r] = append(excluded, r), true
		default:
			st.forget(r.Name)
			if !s.protocol.whole(t) {
				r = st.untaint(r)
			}
			out.upserts = append(out.upserts, r)
		}
	}
	var sent map[versioned]*push
	if len(excluded) > 0 && !s.protocol.whole(t) {
		sent = st.underWay()
	}
	for _, r := range excluded {
		rec := st.ledger[r.Name]
		if p := sent[versionOf(r)]; p != nil && !rec.excluded.refused {
			// It is being tried. Nothing older may follow: a client that takes up both would
			// end with that.
			if !p.expired {
				kept.add(r.slot)
			} else { // An answer that comes after all says nothing of what is due now.
				s.doubt(r)
				suspects = append(suspects, r)
			}
			continue
		}
		switch form := s.inPlace(t, r, news.has(r.slot)); {
		case form != nil:
			out.upserts = append(out.upserts, form)
		case rec.excluded.refused:
			if !news.has(r.slot) && rec.has == nil {
				none = append(none, r.Name)
			}
		case isNew[r]:
			suspects = append(suspects, r)
		}
	}
	st.owed = kept
	st.try(suspects)
	out.upserts = append(out.upserts, st.standIns()...)
	return out, none
}

// vanished moves the client's removals to a snapshot and returns the names that it
// asked for, may hold, and that are gone.
func (s *Session) vanished(t Type, to *Snapshot) []string {
	st := &s.types[t]
	hops := 0
	for hops < len(st.trail) && st.hop(hops).seq <= to.seq {
		hops++
	}
	defer func() { st.trail = slices.Delete(st.trail, 0, hops) }()
	if hops == 0 && len(st.waiting) == 0 {
		return nil
	}
	told := func(name string) bool {
		// It may exist again where the client's upserts already are (rule 89), or have
		// existed again: then its next removal is told in its turn.
		return st.asks(name) && st.at.lookup(t, name) == nil && !inAny(st.trail[hops:], t, name)
	}
	var needs needs
	if removesLater(t) {
		needs = s.needs()
	}
	if hops == 1 && len(st.waiting) == 0 {
		names := st.hop(0).since(st.trail[0], t).removes.removes
		if !slices.ContainsFunc(names, func(n string) bool { return !told(n) || needs.keep(n, false) }) {
			return names
		}
	}
	set := make(map[string]bool)
	for i := range hops {
		for _, name := range st.hop(i).since(st.trail[i], t).removes.removes {
			switch _, waits := st.waiting[name]; {
			case waits || !told(name):
			case needs.keep(name, false):
				st.waits(t, name, to.seq)
			default:
				set[name] = true
			}
		}
	}
	for name, since := range st.waiting {
		switch {
		case since > to.seq:
		case !told(name):
			delete(st.waiting, name)
		case !needs.keep(name, true):
			delete(st.waiting, name)
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// hop returns where the client went from a place of its trail.
func (st *typeState) hop(i int) *Snapshot {
	if i+1 < len(st.trail) {
		return st.trail[i+1]
	}
	return st.at
}

// waits notes that a name is gone since a snapshot, and that the client was not
// told so yet.
func (st *typeState) waits(t Type, name string, since uint64) *record {
	if st.waiting == nil {
		st.waiting = make(map[string]uint64)
	}
	st.waiting[name] = since
	return st.record(t, name)
}

// removes returns the names that the client must be told are gone: what vanished,
// and what it asked for and does not exist.
func (s *Session) removes(t Type, vanished []string) *content {
	st := &s.types[t]
	if !s.protocol.removals() {
		st.gone = nil
		return nothing
	}
	if len(vanished) == 0 && len(st.gone) == 0 {
		return nothing
	}
	names := setOf(vanished)
	for name := range st.gone {
		if s.snap.lookup(t, name) == nil { // Else it is on its way.
			delete(st.gone, name)
			names[name] = true
		}
	}
	if len(names) == 0 {
		return nothing
	}
	return &content{removes: slices.Sorted(maps.Keys(names))}
}

// everything returns all that the client asked for: the newest of each, or what it
// keeps instead, which is returned apart, too. Of the excluded, only those of a trial
// are in it as they are now.
func (s *Session) everything(t Type, trial []*Resource) (out *content, kept []*Resource) {
	st := &s.types[t]
	st.unfinished = nil // An older form is in it, or none.
	all := st.at.full(t)
	if st.wildcard && len(st.ledger) == 0 && len(st.trail) == 0 {
		return all, nil
	}
	out = new(content)
	for _, r := range all.upserts {
		if st.selects(r) && !st.excludes(r) {
			out.upserts = append(out.upserts, st.untaint(r))
		}
	}
	kept = st.kept(t, trial)
	out.upserts = slices.Concat(out.upserts, kept, trial)
	return out, kept
}

// kept returns what the client keeps, a trial aside: of what is excluded, the form
// that it accepted last, or the stand-in; of what is gone, all whose removal waits
// (rule 55).
func (st *typeState) kept(t Type, trial []*Resource) (out []*Resource) {
	forms := make(map[string]*Resource)
	for i, from := range st.trail {
		for _, r := range st.hop(i).since(from, t).removed {
			forms[r.Name] = r
		}
	}
	for name, rec := range st.ledger {
		switch e := rec.excluded; {
		case e != nil && e.standIn != nil && !e.doubtful:
			forms[name] = st.untaint(e.standIn)
		case e != nil || st.removalWaits(t, name):
			forms[name] = rec.has
		}
	}
	for _, r := range trial {
		delete(forms, r.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		now := st.at.lookup(t, name)
		if form := forms[name]; form.known() && st.wants(t, name) && (now == nil || st.excludes(now)) {
			out = append(out, form)
		}
	}
	return out
}
