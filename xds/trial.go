package xds

import (
	"maps"
	"slices"
)

// This file tries what is excluded, part by part, until it is certain what of it a
// client refuses, and finds what to send in its place meanwhile.

// try makes resources that other streams refused trials of this one: each alone, or
// if they are many, all as one part. Where the client has no form of one, and there
// is a stand-in, that is returned, to be sent and answered first.
func (st *typeState) try(suspects []*Resource, at *Snapshot) (standIns []*Resource) {
	var now []*Resource
	for _, r := range suspects {
		e := st.exclude(r)
		if st.ledger[r.Name].has == nil {
			e.standIn = st.standIn(r, at)
		}
		if e.standIn != nil {
			standIns = append(standIns, st.untaint(e.standIn))
		} else {
			now = append(now, r)
		}
	}
	if len(now) > maxAlone {
		st.trials = append(st.trials, now)
		return standIns
	}
	for _, r := range now {
		st.trials = append(st.trials, []*Resource{r})
	}
	return standIns
}

// maxAlone is how many suspects are tried each alone. Where one client refuses
// everything, the others need not answer thousands of responses for it.
const maxAlone = 16

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

// retry queues what of an unanswered push would never be sent again.
func (rs *refusals) retry(p *push) {
	if p.trial {
		rs.trials = append([][]*Resource{p.fresh}, rs.trials...)
		return
	}
	for _, r := range p.fresh {
		if rs.exclusion(r.Name).standsIn(r) {
			rs.trials = append([][]*Resource{{r}}, rs.trials...)
		}
	}
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
		out.upserts[i] = st.untaint(r)
	}
	if s.protocol.whole(t) {
		p.restored, _ = s.restore(t)
		out = s.everything(t, out.upserts)
		st.sum, p.all = out.sum(), out
	}
	return p, s.protocol.respond(t, st.at, out, nothing)
}

// nextPart returns what is left of the first part to try of which anything is, nil
// if nothing is left to try.
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
// and not under trial.
func (st *typeState) current(part []*Resource) []*Resource {
	var out []*Resource
	tried := st.underTrial()
	for _, r := range part {
		e := st.exclusion(r.Name)
		switch {
		case e == nil || !e.standsIn(r) && (e.refused || e.resource.Version != r.Version):
		case tried[versionOf(r)]:
		default:
			out = append(out, r)
		}
	}
	return out
}

// underTrial returns what is in a trial that may yet be answered.
func (st *typeState) underTrial() map[versioned]bool {
	tried := make(map[versioned]bool)
	for _, p := range st.open() {
		if !p.trial {
			continue
		}
		for _, r := range p.fresh {
			if rec := st.ledger[r.Name]; rec != nil && p.number > rec.upTo {
				tried[versionOf(r)] = true
			}
		}
	}
	return tried
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
