package translate_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// An epoch is a history as an API server has it: objects have ages, are deleted
// and made anew, and a leader writes into status.domains what a replica decided.
// Policies in it are valid: the API server's schema refuses others.
type epoch struct {
	*history
	now    int64
	owed   map[Key]record // what the leader has not written yet
	edited map[Ref]Object // since the last step
}

// record is what is to become of a site's status.domains.
type record struct {
	uid   string
	holds []string
}

func newEpoch(seed uint64) *epoch {
	return &epoch{newHistory(seed), 1, make(map[Key]record), make(map[Ref]Object)}
}

func (e *epoch) put(o Object) { e.set(o.Ref(), o) }

func (e *epoch) set(ref Ref, o Object) {
	e.edited[ref] = o
	e.take(map[Ref]Object{ref: o})
}

// step lets people and the leader do something. It returns what changed.
func (e *epoch) step() map[Ref]Object {
	e.edited = make(map[Ref]Object)
	e.now += e.Int64N(2) // two claims within one second are common
	for range 1 + e.IntN(3) {
		e.act()
	}
	for site, owed := range e.owed {
		switch e.IntN(8) {
		case 0: // lost: the leader ended before it wrote
			delete(e.owed, site)
		case 1, 2, 3: // late
		default:
			e.record(site, owed)
		}
	}
	return e.edited
}

func (e *epoch) act() {
	switch e.IntN(16) {
	case 0, 1:
		e.put(e.soundPolicy())
	case 2:
		e.set(e.soundPolicy().Ref(), nil)
	case 3, 4:
		e.put(e.namespace())
	case 5, 6:
		e.set(e.site().Ref(), nil)
	case 7:
		e.forge()
	default:
		e.write(e.site())
	}
}

// write creates a site or edits its specification.
func (e *epoch) write(s *Site) {
	s.UID, s.Created, s.Held = fmt.Sprint(e.Uint64()), time.Unix(e.now, 0), nil
	if old, exists := e.objects[s.Ref()].(*Site); exists {
		s.UID, s.Created, s.Held = old.UID, old.Created, old.Held
	}
	e.put(s)
}

// record writes into a status, unless the object is another by now.
func (e *epoch) record(site Key, r record) {
	delete(e.owed, site)
	if old, exists := e.objects[Ref{Kind: KindSite, Key: site}].(*Site); exists && old.UID == r.uid {
		written := *old
		written.Held = r.holds
		e.put(&written)
	}
}

// forge writes into a status what nobody decided.
func (e *epoch) forge() {
	site := e.site()
	if old, exists := e.objects[site.Ref()].(*Site); exists {
		forged := *old
		forged.Held = site.Held
		e.put(&forged)
	}
}

// judged has the leader take note of verdicts.
func (e *epoch) judged(verdicts []Verdict) {
	for _, v := range verdicts {
		e.owed[v.Site] = record{v.UID, v.Holds}
	}
}

// A replica that follows every step, one that is slow and hears of many at once,
// and one that has just started decide the same, and as the model does.
func TestClaimsOfRandomHistories(t *testing.T) {
	for seed := range uint64(1000) {
		e := newEpoch(seed)
		quick, slow := NewWorld(Options{}), NewWorld(Options{})
		one, other, unheard := newState(), newState(), make(map[Ref]Object)
		for step := range 30 {
			changes := e.step()
			maps.Copy(unheard, changes)
			d := one.mustApply(t, quick, maps.Clone(changes))
			e.judged(d.Verdicts)
			if err := checkClaims(one, e.history); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			if e.IntN(5) == 0 {
				other.mustApply(t, slow, unheard)
				unheard = make(map[Ref]Object)
				if !reflect.DeepEqual(one.verdicts, other.verdicts) {
					t.Fatalf("seed %d, step %d: replicas differ:\n%v\n%v", seed, step, one.verdicts, other.verdicts)
				}
			}
		}
		restarted := newState()
		restarted.mustApply(t, NewWorld(Options{}), maps.Clone(e.objects))
		if !reflect.DeepEqual(one.verdicts, restarted.verdicts) {
			t.Fatalf("seed %d: a restart changes verdicts:\n%v\n%v", seed, one.verdicts, restarted.verdicts)
		}
	}
}

// Once the leader has written all that it owes nothing moves any more, and from
// then on no younger and no older claim takes a domain from who holds it.
func TestRecordedClaimsStand(t *testing.T) {
	for seed := range uint64(200) {
		e, w, s := newEpoch(seed), NewWorld(Options{}), newState()
		for range 20 {
			e.judged(s.mustApply(t, w, e.step()).Verdicts)
		}
		// Another leader writes whatever the last one did not.
		e.settled(slices.Collect(maps.Values(s.verdicts)))
		for round := 0; len(e.owed) > 0; round++ {
			if round == 10 {
				t.Fatalf("seed %d: after 10 rounds of writes the leader still has some: %v", seed, e.owed)
			}
			e.edited = make(map[Ref]Object)
			for _, key := range slices.Collect(maps.Keys(e.owed)) {
				e.record(key, e.owed[key])
			}
			e.settled(s.mustApply(t, w, e.edited).Verdicts)
		}
		before := maps.Clone(s.verdicts)
		for _, domain := range domains {
			for i, created := range []int64{0, e.now + 1} {
				claim := &Site{Key: Key{Namespace: pick(e.history, namespaces), Name: fmt.Sprint("new-", domain, i)},
					Created: time.Unix(created, 0), Domain: domain, Service: "web", Port: 80}
				s.mustApply(t, w, changesOf(claim))
				for key, v := range before {
					if !reflect.DeepEqual(v.Holds, s.verdicts[key].Holds) {
						t.Fatalf("seed %d: %s takes from %s, which held %v and has %v", seed, claim.Key, key, v.Holds, s.verdicts[key].Holds)
					}
				}
				s.mustApply(t, w, map[Ref]Object{claim.Ref(): nil})
			}
		}
	}
}

// settled is judged, but for what the status has already.
func (e *epoch) settled(verdicts []Verdict) {
	for _, v := range verdicts {
		if s, _ := e.objects[Ref{Kind: KindSite, Key: v.Site}].(*Site); s != nil && !slices.Equal(s.Held, v.Holds) {
			e.owed[v.Site] = record{v.UID, v.Holds}
		}
	}
}
