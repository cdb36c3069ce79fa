package statuswriter

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/kube/observed"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func key(name string) object.Key { return object.Key{Namespace: "docs", Name: name} }

// served is the status of a site that every proxy serves.
func served(name string, generation int64, domains ...string) sitestatus.Status {
	s := sitestatus.Status{
		Site: key(name), Generation: generation, Domains: domains,
		Phase: string(v1alpha1.PhaseProvisioned), Message: "acknowledged by every serving proxy",
	}
	for _, t := range v1alpha1.Conditions[:4] {
		s.Conditions = append(s.Conditions, sitestatus.Condition{Type: t, Status: "True", Reason: t, Message: "fine"})
	}
	return s
}

// has is what the API server has after it was given s.
func has(version string, s sitestatus.Status) *observed.Status {
	return &observed.Status{Summary: observed.Summarise(s), Version: version}
}

// nothing is what it has of a site that was never written.
func nothing(version string) *observed.Status {
	return observed.Read(map[string]any{"metadata": map[string]any{"resourceVersion": version}})
}

func drain(l *ledger) []string {
	var names []string
	for {
		w, ok := l.next()
		if !ok {
			return names
		}
		names = append(names, w.site.Name)
	}
}

func expect(t *testing.T, l *ledger, names ...string) {
	t.Helper()
	if got := drain(l); !slices.Equal(got, names) {
		t.Fatalf("writes %v, want %v", got, names)
	}
}

func TestOnlyDifferencesAreWritten(t *testing.T) {
	l := newLedger()
	l.demand(served("a", 1, "a.example.com"))
	expect(t, l) // nobody has seen an object to write to
	l.see(key("b"), nothing("1"))
	expect(t, l) // nobody has said what it should be
	l.see(key("a"), has("2", served("a", 1, "a.example.com")))
	expect(t, l)
	l.see(key("a"), has("3", served("a", 1)))
	expect(t, l, "a")
}

func TestDomainsGoFirst(t *testing.T) {
	l := newLedger()
	for _, name := range []string{"a", "b", "c"} {
		l.see(key(name), has("1", served(name, 1, name+".example.com")))
	}
	l.demand(served("a", 2, "a.example.com"))
	l.demand(served("b", 2, "b.example.com"))
	l.demand(served("c", 2, "other.example.com"))
	l.demand(served("b", 2, "another.example.com")) // moves up, and is not written twice
	expect(t, l, "c", "b", "a")
}

func TestOfSeveralStatusesTheLatestIsWritten(t *testing.T) {
	l := newLedger()
	l.see(key("a"), nothing("1"))
	l.demand(served("a", 1))
	l.demand(served("a", 2))
	w, _ := l.next()
	if w.want.Generation != 2 {
		t.Fatalf("generation %d is written, want 2", w.want.Generation)
	}
	l.demand(served("a", 3))
	l.demand(served("a", 4))
	expect(t, l) // a write is under way
	l.written(w, has("2", served("a", 2)))
	w, _ = l.next()
	if w.want.Generation != 4 || w.seen.Version != "2" {
		t.Fatalf("generation %d is written over version %s, want 4 over 2", w.want.Generation, w.seen.Version)
	}
}

// The informer may be behind our own write: what it says then is old.
func TestAnOldObservationIsNotBelieved(t *testing.T) {
	l := newLedger()
	l.see(key("a"), nothing("9"))
	l.demand(served("a", 1))
	w, _ := l.next()
	l.written(w, has("11", served("a", 1)))
	l.see(key("a"), nothing("10"))
	expect(t, l)
	l.see(key("a"), nothing("12")) // somebody wiped it
	expect(t, l, "a")
}

func TestAConflictWaitsForNewsOrTime(t *testing.T) {
	l := newLedger()
	l.see(key("a"), nothing("1"))
	l.demand(served("a", 1))
	w, _ := l.next()
	l.failed(w, now, time.Second, time.Minute)
	expect(t, l)
	l.see(key("a"), nothing("2"))
	w, ok := l.next()
	if !ok || w.seen.Version != "2" {
		t.Fatalf("after news: %+v, %v", w, ok)
	}
	for _, wait := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} { // the second failure is the first's successor
		l.failed(w, now, time.Second, time.Minute)
		if at, ok := l.wake(now); !ok || at != now.Add(wait) {
			t.Fatalf("waits until %v, want %v", at, now.Add(wait))
		}
		expect(t, l)
		l.wake(now.Add(wait))
		if w, ok = l.next(); !ok {
			t.Fatalf("nothing to write after %v", wait)
		}
	}
}

func TestNewsDuringAConflictIsUsedAtOnce(t *testing.T) {
	l := newLedger()
	l.see(key("a"), nothing("1"))
	l.demand(served("a", 1))
	w, _ := l.next()
	l.see(key("a"), nothing("2"))
	l.failed(w, now, time.Second, time.Minute)
	expect(t, l, "a")
}

func TestASiteThatIsGoneIsForgotten(t *testing.T) {
	gone := sitestatus.Status{Site: key("a"), Gone: true}
	for name, do := range map[string]func(*ledger){
		"object first": func(l *ledger) { l.see(key("a"), nil); l.demand(gone) },
		"status first": func(l *ledger) { l.demand(gone); l.see(key("a"), nil) },
		"while written": func(l *ledger) {
			w, _ := l.next()
			l.see(key("a"), nil)
			l.demand(gone)
			l.vanished(w)
		},
		"written too late": func(l *ledger) {
			w, _ := l.next()
			l.see(key("a"), nil)
			l.demand(gone)
			l.written(w, has("2", served("a", 1)))
		},
		"while it waits": func(l *ledger) {
			w, _ := l.next()
			l.failed(w, now, time.Second, time.Minute)
			l.demand(gone)
			l.see(key("a"), nil)
		},
	} {
		l := newLedger()
		l.see(key("a"), nothing("1"))
		l.demand(served("a", 1))
		do(l)
		if expect(t, l); len(l.sites)+len(l.waiting) != 0 {
			t.Errorf("%s: %d sites and %d that wait are left", name, len(l.sites), len(l.waiting))
		}
	}
}

// An object that was deleted and made anew has generation 1 again, as had the one
// before; what is wanted of it is not known until it is said.
func TestTheStatusOfTheOneBeforeIsNotWritten(t *testing.T) {
	of := func(uid string, s sitestatus.Status) sitestatus.Status { s.UID = uid; return s }
	anew := func() *observed.Status { o := nothing("3"); o.UID = "second"; return o }
	l := newLedger()
	l.demand(of("first", served("a", 1, "a.example.com")))
	l.see(key("a"), has("2", of("first", served("a", 1, "a.example.com"))))
	l.see(key("a"), anew())
	expect(t, l)
	l.demand(of("second", served("a", 1, "a.example.com")))
	expect(t, l, "a")

	// The other way round.
	l = newLedger()
	l.see(key("a"), has("2", of("first", served("a", 1))))
	l.demand(of("second", served("a", 1, "a.example.com")))
	expect(t, l)
	l.see(key("a"), anew())
	expect(t, l, "a")
}

func TestAVanishedObjectIsNotWrittenAgainUntilSeen(t *testing.T) {
	l := newLedger()
	l.see(key("a"), nothing("1"))
	l.demand(served("a", 1))
	w, _ := l.next()
	l.vanished(w)
	l.demand(served("a", 2))
	expect(t, l)
	l.see(key("a"), nothing("5")) // made anew
	expect(t, l, "a")
}

func TestAnotherStatusDuringAFailureIsTriedAtOnce(t *testing.T) {
	l := newLedger()
	l.see(key("a"), nothing("1"))
	l.demand(served("a", 1))
	w, _ := l.next()
	l.demand(served("a", 2))
	l.failed(w, now, time.Second, time.Minute)
	expect(t, l, "a")
}

// A leader that has not heard of all proxies lets stand that a site is programmed,
// if that is said of this very generation of this very object; and what else there
// is to say, it says.
func TestWhatIsUndecidedForWantOfNewsIsNotUnsaid(t *testing.T) {
	undecided := func(generation int64, domains ...string) sitestatus.Status {
		s, standing := served("a", generation, domains...), served("a", generation, domains...)
		s.Conditions[2].Status, s.Phase = "Unknown", "Pending"
		s.Standing = &standing
		return s
	}
	other := served("a", 2, "a.example.com")
	other.UID = "other"
	pending := undecided(2, "a.example.com")
	for name, test := range map[string]struct {
		seen, want sitestatus.Status
		status     string // of Programmed, as written; empty: nothing is
	}{
		"it is said":                 {served("a", 2, "a.example.com"), undecided(2, "a.example.com"), ""},
		"of a generation before":     {served("a", 1, "a.example.com"), undecided(2, "a.example.com"), "Unknown"},
		"it is not said":             {has("1", pending).SiteStatus(), undecided(2, "a.example.com"), ""},
		"something else has changed": {served("a", 2), undecided(2, "a.example.com"), "True"},
		"of another object":          {other, undecided(2, "a.example.com"), ""},
		"there is news":              {served("a", 2, "a.example.com"), func() sitestatus.Status { s := undecided(2, "a.example.com"); s.Standing = nil; return s }(), "Unknown"},
	} {
		l := newLedger()
		l.see(key("a"), has("1", test.seen))
		l.demand(test.want)
		w, ok := l.next()
		status := ""
		if ok {
			status = w.want.SiteStatus().Conditions[2].Status
		}
		if status != test.status {
			t.Errorf("%s: writes %q, want %q", name, status, test.status)
		}
	}
}

// A status that says more than is so misleads for as long as it stands. Then come the
// records of who holds which domain, then the rest.
func TestWhatSaysTooMuchIsWrittenFirst(t *testing.T) {
	loses := func(name string) sitestatus.Status {
		s := served(name, 1, name+".example.com")
		s.Domains, s.Conditions[0].Status = nil, "False"
		return s
	}
	moved := served("moved", 2, "elsewhere.example.com")
	edited, mended, unhappy := served("edited", 2), served("mended", 1), served("unhappy", 1)
	edited.Conditions[2].Status = "Unknown" // what was said of the generation before was true
	unhappy.Conditions[1].Status = "False"
	troubled := served("mended", 1)
	troubled.Conditions = append(troubled.Conditions, sitestatus.Condition{Type: v1alpha1.ConditionStalled, Status: "True", Reason: "Rejected"})

	l := newLedger()
	l.see(key("mended"), has("1", troubled))
	l.demand(mended)
	l.see(key("edited"), has("1", served("edited", 1)))
	l.demand(edited)
	for _, name := range []string{"winner-1", "winner-2"} {
		l.see(key(name), has("1", served(name, 1)))
		l.demand(served(name, 1, name+".example.com"))
	}
	for _, name := range []string{"loser-1", "loser-2"} {
		l.see(key(name), has("1", served(name, 1, name+".example.com")))
		l.demand(loses(name))
	}
	l.see(key("moved"), has("1", served("moved", 1, "moved.example.com")))
	l.demand(moved)
	l.see(key("unhappy"), has("1", served("unhappy", 1)))
	l.demand(unhappy)
	l.see(key("winner-2"), has("2", loses("winner-2"))) // it stays where it is
	expect(t, l, "loser-1", "loser-2", "moved", "unhappy", "winner-1", "winner-2", "mended", "edited")
}

// One that was queued for little is handed out as soon as there is much to say, and
// only once.
func TestAWriteIsMovedForward(t *testing.T) {
	l := newLedger()
	for _, name := range []string{"a", "b"} {
		l.see(key(name), has("1", served(name, 1, name+".example.com")))
		other := served(name, 1, name+".example.com")
		other.Message += "!"
		l.demand(other)
	}
	l.demand(served("b", 1))
	expect(t, l, "b", "a")
}

func TestAStatusThatIsUndoneIsWrittenMoreAndMoreSlowly(t *testing.T) {
	l := newLedger()
	l.now = now
	l.demand(served("a", 1))
	version := 0
	undo := func() {
		version++
		l.see(key("a"), nothing(strconv.Itoa(version)))
	}
	write := func() {
		t.Helper()
		w, ok := l.next()
		if !ok {
			t.Fatalf("attempt %d is not made", w.attempt+1)
		}
		version++
		l.written(w, has(strconv.Itoa(version), served("a", 1)))
	}
	for range attemptsAtOnce {
		undo()
		write()
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		undo()
		expect(t, l)
		at, ok := l.wake(l.now)
		if want := l.now.Add(wait * time.Second); !ok || at != want {
			t.Fatalf("waits until %v, want %v", at, want)
		}
		l.now = at
		l.wake(at)
		write()
	}
	l.now = l.now.Add(calm + time.Second) // it has stood for long
	undo()
	expect(t, l, "a")
}

// After a restore from a backup the cluster gives out versions a second time.
func TestVersionsOfTwoListingsAreNotCompared(t *testing.T) {
	l := newLedger()
	l.see(key("a"), has("1000", served("a", 1)))
	l.demand(served("a", 1))
	restored := nothing("7")
	restored.Listing = 1
	l.see(key("a"), restored)
	w, ok := l.next()
	if !ok || w.seen.Version != "7" {
		t.Fatalf("%+v, %v; want a write over version 7", w, ok)
	}
	late := has("1001", served("a", 1)) // from the API server as it was
	l.see(key("a"), late)
	wrote := has("8", served("a", 1))
	wrote.Listing = 1
	l.written(w, wrote)
	expect(t, l)
}
