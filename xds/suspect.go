package xds

import "maps"

// This file is what a Store learns from refusals: which versions are suspect, and
// what to serve beside them to clients that come while they are served.

// Suspect marks a version of a resource that a stream refused: from now on it is
// sent last and alone (docs/decisions.md, "A refused version is a suspect everywhere", rule 42), also when it comes back
// after another version.
//
// Has is the form that the stream's client has instead, nil if it has none. It is
// the version's stand-in: as long as the version is served, a client that has no
// form of the resource is sent this one first; a placeholder is none (rule 91).
// What has leads to is needed as long (see Needed).
func (s *Store) Suspect(r, has *Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.latest.Load()
	if old == nil {
		return
	}
	now := old.lookup(r.Type, r.Name)
	if has != nil && (now == nil || now.Version != r.Version || old.suspect(has) || has.Placeholder) {
		has = nil
	}
	if old.suspect(r) && (has == nil || old.standIn(r) != nil) {
		return
	}
	suspects := make(map[suspect]*Resource)
	for k, standIn := range old.suspects {
		// Beyond the bound only what is served now is worth remembering.
		if len(old.suspects) < maxSuspects || old.serves(k) {
			suspects[k] = standIn
		}
	}
	suspects[suspectOf(r)] = has
	s.replace(old.edit().snapshot(old.seq+1, suspects))
}

// maxSuspects bounds the marks for versions that are not served any more.
const maxSuspects = 1_000

// succeed returns the suspects as they are once changes are made. A stand-in ends
// with the version that it stands in for. A suspect that comes back has what it
// replaces as its stand-in.
func (s *Snapshot) succeed(changes []Change) map[suspect]*Resource {
	suspects := s.suspects
	if len(suspects) == 0 {
		return suspects
	}
	own := false
	set := func(r, standIn *Resource) {
		if !own {
			suspects, own = maps.Clone(suspects), true
		}
		suspects[suspectOf(r)] = standIn
	}
	for name, next := range outcome(changes) {
		now := s.lookup(name.Type, name.Name)
		if now == nil {
			continue
		}
		good := now
		if s.suspect(now) {
			good = s.standIn(now)
			set(now, nil)
		}
		if next != nil && s.suspect(next) {
			if good != nil && good.Placeholder {
				good = nil
			}
			set(next, good)
		}
	}
	return suspects
}

// outcome returns what each name comes to: nil if it is removed.
func outcome(changes []Change) map[ResourceName]*Resource {
	last := make(map[ResourceName]*Resource)
	for _, c := range changes {
		last[ResourceName{c.Type, c.Name}] = c.Resource
	}
	return last
}

// Needed returns the names that stand-ins lead to. Whoever publishes serves them as
// long as they are here, whatever else leads to them.
func (s *Store) Needed() map[string]bool {
	now := s.latest.Load()
	if now == nil || len(now.suspects) == 0 {
		return nil
	}
	needed := make(map[string]bool)
	for _, standIn := range now.suspects {
		if standIn != nil {
			for _, name := range standIn.Needs {
				needed[name] = true
			}
		}
	}
	return needed
}
