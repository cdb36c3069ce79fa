package control

// invariants checks what is written on the fields of join and site, between two turns.
func (w *world) invariants() {
	w.t.Helper()
	j := w.join
	waits := make(map[waiter]bool)
	for i, e := range j.waiting {
		waits[e] = true
		if i > 0 && e.seq < j.waiting[i-1].seq {
			w.t.Errorf("snapshot %d waits after %d", e.seq, j.waiting[i-1].seq)
		}
	}
	if len(j.dirty) > 0 {
		w.t.Errorf("%d sites are marked", len(j.dirty))
	}
	open := 0
	for s := range j.sites.All() {
		_, isOpen := j.open[s]
		if isOpen {
			open++
		}
		leads := !j.fleet.Following()
		switch {
		case s.marked != 0:
			w.t.Errorf("%v is marked %b", s.key, s.marked)
		case !s.held && !waits[waiter{s, s.seq}]:
			w.t.Errorf("%v is not held and does not wait", s.key)
		case s.settled && (s.version == 0 || !leads):
			w.t.Errorf("%v is settled as version %d; we lead: %t", s.key, s.version, leads)
		case isOpen != (leads && s.version != 0 && !s.settled):
			w.t.Errorf("%v is open: %t; version %d, settled: %t, we lead: %t", s.key, isOpen, s.version, s.settled, leads)
		case s.settled && s.heir:
			w.t.Errorf("%v is settled and an heir", s.key)
		case j.versions != nil && s.version != 0 && j.versions[s.version] != s:
			w.t.Errorf("%v is not found by its version", s.key)
		}
	}
	if open != len(j.open) {
		w.t.Errorf("%d sites are open, of which %d are there", len(j.open), open)
	}
	if (j.users == nil) == j.ours.Exceptions() {
		w.t.Errorf("there are exceptions: %t, and users: %t", j.ours.Exceptions(), j.users != nil)
	}
	if j.said && j.since.IsZero() {
		w.t.Error("an outage is said that has not begun")
	}
}
