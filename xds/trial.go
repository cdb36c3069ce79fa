package xds

import (
	"maps"
	"slices"
)

// This file tries what is excluded, part by part, until it is certain what of it a
// client refuses, and finds what to send in its place meanwhile.

// try makes trials of excluded resources: each alone, or if they are many, all as
// one part.
func (st *typeState) try(suspects []*Resource) {
	if len(suspects) > maxAlone {
		st.trials = append(st.trials, suspects)
		return
	}
	for _, r := range suspects {
		st.trials = append(st.trials, []*Resource{r})
	}
}

// maxAlone is how many suspects are tried each alone. Where one client refuses
// everything, the others need not answer thousands of responses for it.
const maxAlone = 16

// inPlace returns what a client is sent in place of an excluded version, or nil: the
// form that it accepted last, unless it keeps that, else the stand-in. Until that is
// answered, nothing else of the name is tried.
func (s *Session) inPlace(t Type, r *Resource, keeps bool) *Resource {
	st := &s.types[t]
	rec := st.ledger[r.Name]
	switch e := rec.excluded; {
	case rec.has != nil && s.protocol.whole(t):
		st.answer = st.answer || !keeps // It is in whatever holds everything.
		return nil
	case rec.has != nil && keeps, e.standIn != nil && e.doubtful:
		return nil
	case e.standIn != nil:
	case rec.has.known():
		e.standIn = rec.has
	case rec.mayHave.known() && !st.refusedBefore(rec.mayHave) && !s.protocol.whole(t):
		e.standIn = rec.mayHave
	case rec.has == nil && !e.alone:
		e.standIn = st.standIn(r, st.at)
	}
	if standIn := rec.excluded.standIn; standIn != nil {
		return st.untaint(standIn)
	}
	return nil
}

// standIn returns what this client can be sent in place of a suspect, or nil.
func (st *typeState) standIn(r *Resource, at *Snapshot) *Resource {
	standIn := at.standIn(r)
	if standIn == nil || st.refusedBefore(standIn) {
		return nil
	}
	return standIn
}

// standIns returns what can be sent in place of resources that the client refused
// and has no form of.
func (st *typeState) standIns() (out []*Resource) {
	for _, rec := range st.ledger {
		e := rec.excluded
		if e == nil || !e.refused || e.alone || rec.has != nil || e.standIn != nil {
			continue
		}
		if e.standIn = st.standIn(e.resource, st.at); e.standIn != nil {
			out = append(out, st.untaint(e.standIn))
		}
	}
	return out
}

// standInAnswered ends the wait for a stand-in: now the version itself is tried.
func (rs *refusals) standInAnswered(e *exclusion) {
	e.standIn, e.doubtful = nil, false
	rs.trials = append(rs.trials, []*Resource{e.resource})
}

// again returns the parts to try because a push that had them was never answered.
func (rs *refusals) again(p *push) (parts [][]*Resource) {
	if p.trial {
		return [][]*Resource{p.fresh}
	}
	for _, r := range p.fresh {
		if rs.exclusion(r.Name).standsIn(r) || rs.excludes(r) {
			parts = append(parts, []*Resource{r})
		}
	}
	return parts
}

// trial returns the push of the next part to try. Trials come after everything
// else, one at a time, and concern nobody else.
func (s *Session) trial(t Type) (*push, *Response) {
	st := &s.types[t]
	if st.busy() || st.inflight != nil && s.protocol.whole(t) {
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
		if e := st.exclusion(r.Name); !e.standsIn(r) {
			e.standIn, e.doubtful = nil, false // It was not answered in time, and must not follow this.
		}
		out.upserts[i] = st.untaint(r)
	}
	if s.protocol.whole(t) {
		out, p.restored = s.everything(t, out.upserts)
		st.sum, p.all = out.sum(), out
	}
	return p, s.protocol.respond(t, st.at, out, nothing)
}

// nextPart returns the first part that still has something to try, without the rest of
// that part; nil if nothing is left to try.
func (s *Session) nextPart(t Type) []*Resource {
	st := &s.types[t]
	for ; len(st.trials) > 0; st.trials = st.trials[1:] {
		if part := st.current(st.trials[0]); len(part) > 0 {
			return part
		}
	}
	return nil
}

// current returns those of a part that are still served, asked for and excluded,
// and not under way.
func (st *typeState) current(part []*Resource) []*Resource {
	var out []*Resource
	sent := st.underWay()
	for _, r := range part {
		e := st.exclusion(r.Name)
		switch {
		case e == nil || !e.standsIn(r) && (e.refused || e.resource.Version != r.Version):
		case sent[versionOf(r)] != nil:
		default:
			out = append(out, r)
		}
	}
	return out
}

// underWay returns the versions with records that were sent since they were last in
// question and may yet be answered, each with the newest response that has it.
func (st *typeState) underWay() map[versioned]*push {
	sent := make(map[versioned]*push)
	for p := range st.open {
		for _, r := range p.fresh {
			if rec := st.ledger[r.Name]; rec != nil && p.number > rec.upTo {
				sent[versionOf(r)] = p
			}
		}
	}
	return sent
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
	if len(named) == 0 {
		return [][]*Resource{refused[:len(refused)/2], refused[len(refused)/2:]}
	}
	return append([][]*Resource{rest}, named...)
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
	for _, name := range slices.Sorted(maps.Keys(st.unfinished)) {
		has, e, now := st.accepted(t, name), st.exclusion(name), st.at.lookup(t, name)
		switch {
		case !st.wants(t, name):
		case now != nil && (e == nil || !e.refused): // It was replaced.
		case now != nil && e.standIn != nil: // That is on its way.
		case has == nil || now == nil && (st.gone[name] || !st.removalWaits(t, name)):
			away = append(away, name)
		case has.known():
			back = append(back, has)
		}
	}
	st.unfinished = nil
	return back, away
}
