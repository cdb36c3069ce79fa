package xds

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
)

// light returns a resource that is never sent, fast to make.
func light(t Type, name string, version int) *Resource {
	r := &Resource{Type: t, Name: name, Version: strconv.Itoa(version)}
	for _, b := range []byte(name + "@" + r.Version) {
		r.sum = r.sum*1_000_003 + uint64(b)
	}
	return r
}

// world is what a snapshot should have: versions by name.
type world map[ResourceName]string

// TestSnapshotsEqualTheirHistory publishes random changes and holds snapshots,
// and the ways between any two of them, against maps that are kept beside.
func TestSnapshotsEqualTheirHistory(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const names, snapshots = 1200, 150 // Several leaves, and several times as many names as buckets.
	store := NewStore()
	now := world{}
	snaps, worlds := []*Snapshot{empty}, []world{{}}
	for i := range snapshots {
		var changes []Change
		for range 1 + r.IntN(60) {
			c := Change{Type: Type(r.IntN(2)), Name: fmt.Sprint("n", r.IntN(names))}
			if r.IntN(3) > 0 {
				c.Resource = light(c.Type, c.Name, i+r.IntN(2))
				now[ResourceName{c.Type, c.Name}] = c.Resource.Version
			} else {
				delete(now, ResourceName{c.Type, c.Name})
			}
			changes = append(changes, c)
		}
		snaps = append(snaps, store.Publish(changes))
		worlds = append(worlds, maps.Clone(now))
	}
	for i, snap := range snaps {
		expectWorld(t, snap, worlds[i])
	}
	for range 2000 {
		i := r.IntN(len(snaps))
		j := i + r.IntN(len(snaps)-i)
		expectWay(t, snaps[i], snaps[j], worlds[i], worlds[j])
	}
}

func expectWorld(t *testing.T, snap *Snapshot, want world) {
	t.Helper()
	got, sums := world{}, [numTypes]uint64{}
	for typ := range numTypes {
		count := 0
		for r := range snap.tables[typ].all {
			got[ResourceName{typ, r.Name}] = r.Version
			sums[typ] += r.sum
			count++
			if snap.tables[typ].at(r.slot) != r || snap.lookup(typ, r.Name) != r {
				t.Fatalf("snapshot %d: %s %s is not where it should be", snap.seq, typ, r.Name)
			}
		}
		if snap.Len(typ) != count || snap.tables[typ].sum != sums[typ] {
			t.Fatalf("snapshot %d: counts %d %ss, has %d; or their sum is wrong", snap.seq, snap.Len(typ), typ, count)
		}
	}
	if !maps.Equal(got, want) {
		t.Fatalf("snapshot %d: has %v, want %v", snap.seq, got, want)
	}
	if snap.lookup(Cluster, "nobody") != nil {
		t.Fatal("found what was never published")
	}
}

// expectWay checks that the batch between two snapshots is their difference.
func expectWay(t *testing.T, from, to *Snapshot, a, b world) {
	t.Helper()
	for typ := range numTypes {
		way := to.since(from, typ)
		got := world{}
		for _, r := range way.upserts.upserts {
			got[ResourceName{typ, r.Name}] = r.Version
		}
		want := world{}
		var gone []string
		for name, v := range b {
			if name.Type == typ && a[name] != v {
				want[name] = v
			}
		}
		for name := range a {
			if _, kept := b[name]; name.Type == typ && !kept {
				gone = append(gone, name.Name)
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%d to %d: %s upserts %v, want %v", from.seq, to.seq, typ, got, want)
		}
		slices.Sort(gone)
		if removes := slices.Sorted(slices.Values(way.removes.removes)); !slices.Equal(removes, gone) {
			t.Fatalf("%d to %d: %s removes %v, want %v", from.seq, to.seq, typ, removes, gone)
		}
	}
}

// What comes and goes takes the slots that became free: tables do not grow.
func TestSlotsAreReused(t *testing.T) {
	store := NewStore()
	for i := range 10_000 {
		store.Publish([]Change{
			{Type: Cluster, Name: fmt.Sprint("n", i), Resource: light(Cluster, fmt.Sprint("n", i), 1)},
			{Type: Cluster, Name: fmt.Sprint("n", i-5)},
		})
	}
	snap := store.Latest()
	if n := snap.Len(Cluster); n != 5 {
		t.Errorf("has %d resources", n)
	}
	if n := len(snap.tables[Cluster].leaves); n != 1 {
		t.Errorf("has %d leaves for them", n)
	}
}

func TestNamesAreFoundHoweverManyThereAre(t *testing.T) {
	store := hundredThousand(t)
	snap := store.Latest()
	for _, i := range []int{0, 1, 4095, 65_536, 99_999} {
		if r := snap.lookup(Cluster, fmt.Sprint("n", i)); r == nil || r.Name != fmt.Sprint("n", i) {
			t.Errorf("n%d: found %v", i, r)
		}
	}
	longest := 0
	for _, c := range snap.tables[Cluster].names.chunks {
		for _, bucket := range c {
			longest = max(longest, len(bucket))
		}
	}
	if longest > 8*bucketLoad {
		t.Errorf("a bucket has %d names", longest)
	}
}

// hundredThousand returns a store with the clusters n0 to n99999.
func hundredThousand(t testing.TB) *Store {
	t.Helper()
	store := NewStore()
	changes := make([]Change, 100_000)
	for i := range changes {
		name := fmt.Sprint("n", i)
		changes[i] = Change{Type: Cluster, Name: name, Resource: light(Cluster, name, 1)}
	}
	store.Publish(changes)
	return store
}

// TestPublishTouchesOnlyWhatChanges: of 100,000 resources one is replaced, one
// added and one removed, and nearly all memory is shared with the snapshot before.
func TestPublishTouchesOnlyWhatChanges(t *testing.T) {
	store := hundredThousand(t)
	for _, c := range []struct {
		what           string
		change         Change
		leaves, chunks int // that may be copied
	}{
		{"replaced", Change{Cluster, "n77777", light(Cluster, "n77777", 2)}, 1, 0},
		{"added", Change{Cluster, "new", light(Cluster, "new", 1)}, 1, 1},
		{"removed", Change{Cluster, "n5", nil}, 1, 1},
	} {
		before := store.Latest()
		size := allocated(func() { store.Publish([]Change{c.change}) })
		after := store.Latest()
		if after == before {
			t.Fatalf("%s: not published", c.what)
		}
		if n := different(before.tables[Cluster].leaves, after.tables[Cluster].leaves); n > c.leaves {
			t.Errorf("%s: %d leaves copied", c.what, n)
		}
		if n := different(before.tables[Cluster].names.chunks, after.tables[Cluster].names.chunks); n > c.chunks {
			t.Errorf("%s: %d chunks of names copied", c.what, n)
		}
		if size > 64<<10 {
			t.Errorf("%s: %d bytes allocated", c.what, size)
		}
		visited := 0
		after.tables[Cluster].diff(&before.tables[Cluster], func(_, _ *Resource) { visited++ })
		if visited != 1 {
			t.Errorf("%s: the snapshots differ in %d slots", c.what, visited)
		}
	}
}

func different[T comparable](a, b []T) (n int) {
	for i := range b {
		if i >= len(a) || a[i] != b[i] {
			n++
		}
	}
	return n
}

// allocated returns how many bytes a function allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// BenchmarkPublishOneOf100k replaces one of 100,000 resources.
func BenchmarkPublishOneOf100k(b *testing.B) {
	store := hundredThousand(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprint("n", i*7919%100_000)
		store.Publish([]Change{{Type: Cluster, Name: name, Resource: light(Cluster, name, i+2)}})
	}
}

// BenchmarkPublishAndFollowOneOf100k does it while a stream in step is sent each.
func BenchmarkPublishAndFollowOneOf100k(b *testing.B) {
	store := hundredThousand(b)
	from := store.Latest()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprint("n", i*7919%100_000)
		to := store.Publish([]Change{{Type: Cluster, Name: name, Resource: light(Cluster, name, i+2)}})
		if got := to.since(from, Cluster).upserts.upserts; len(got) != 1 {
			b.Fatalf("the way has %d upserts", len(got))
		}
		from = to
	}
}

func TestPublishOfNothingNewIsNone(t *testing.T) {
	store := NewStore()
	select {
	case <-store.Published():
		t.Fatal("published before the first")
	default:
	}
	first := store.Publish(nil) // Nothing is served, and that is now known.
	<-store.Published()
	if first.Seq() != 1 || store.Latest() != first {
		t.Errorf("the first snapshot is %v", first)
	}
	second := store.Publish([]Change{{Cluster, "a", light(Cluster, "a", 1)}})
	<-first.Superseded()
	for _, c := range [][]Change{nil, {{Cluster, "gone", nil}}, {{Cluster, "a", light(Cluster, "a", 1)}}} {
		if store.Publish(c) != second {
			t.Errorf("published %v", c)
		}
	}
	select {
	case <-second.Superseded():
		t.Error("superseded by nothing")
	default:
	}
}

// Rule 36: equal content has an equal version, in whatever order it came to be.
func TestVersionOfATableIsItsContents(t *testing.T) {
	one, other := NewStore(), NewStore()
	one.Publish([]Change{{Cluster, "a", light(Cluster, "a", 1)}, {Cluster, "b", light(Cluster, "b", 1)}})
	other.Publish([]Change{{Cluster, "b", light(Cluster, "b", 7)}, {Cluster, "c", light(Cluster, "c", 1)}})
	if one.Latest().version(Cluster) == other.Latest().version(Cluster) {
		t.Error("different content, equal version")
	}
	other.Publish([]Change{{Cluster, "c", nil}, {Cluster, "a", light(Cluster, "a", 1)}, {Cluster, "b", light(Cluster, "b", 1)}})
	if a, b := one.Latest().version(Cluster), other.Latest().version(Cluster); a != b {
		t.Errorf("equal content, versions %s and %s", a, b)
	}
}

// A suspect stays one when it comes back, but what is served no more is not
// remembered for ever.
func TestSuspectsAreBounded(t *testing.T) {
	store := NewStore()
	publish := func(version int) *Resource {
		r := light(Cluster, "a", version)
		store.Publish([]Change{{Cluster, "a", r}})
		return r
	}
	store.Suspect(publish(0), nil)
	before := store.Latest()
	store.Suspect(light(Cluster, "a", 0), nil)
	if store.Latest() != before {
		t.Error("the same suspect twice is news")
	}
	store.Suspect(publish(1), nil)
	if again := publish(0); !store.Latest().suspect(again) {
		t.Error("what came back is no suspect any more")
	}
	served := light(Cluster, "b", 0)
	store.Publish([]Change{{Cluster, "b", served}})
	store.Suspect(served, nil)
	for i := range 3 * maxSuspects {
		store.Suspect(publish(i+1), nil)
	}
	if n := len(store.Latest().suspects); n > maxSuspects {
		t.Errorf("%d suspects are remembered", n)
	}
	for _, name := range []string{"a", "b"} {
		if !store.Latest().suspect(store.Latest().lookup(Cluster, name)) {
			t.Errorf("%s, which is served, is no suspect", name)
		}
	}
}

// A stand-in is what a client accepted instead of a version that is served, and that
// nobody refused.
func TestWhatIsNoStandIn(t *testing.T) {
	scope := func(version int) *Resource {
		r := light(ScopedRoute, "a", version)
		r.Needs = []string{"cluster"}
		return r
	}
	for name, refuse := range map[string]func(store *Store, publish func(version int) *Resource){
		"a placeholder": func(store *Store, publish func(int) *Resource) {
			has := publish(0)
			has.Placeholder = true
			store.Suspect(publish(1), has)
		},
		"a version that another client refused": func(store *Store, publish func(int) *Resource) {
			has := publish(0)
			store.Suspect(has, nil)
			store.Suspect(publish(1), has)
		},
		"what a late refusal left": func(store *Store, publish func(int) *Resource) {
			has, refused := publish(0), publish(1)
			publish(2)
			store.Suspect(refused, has)
		},
		"the placeholder before what comes back": func(store *Store, publish func(int) *Resource) {
			store.Suspect(publish(0), nil)
			publish(1).Placeholder = true
			publish(0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := NewStore()
			refuse(store, func(version int) *Resource {
				r := scope(version)
				store.Publish([]Change{{ScopedRoute, "a", r}})
				return r
			})
			if needed := store.Needed(); len(needed) > 0 {
				t.Errorf("it is a stand-in, and leads to %v", needed)
			}
		})
	}
}

// The first stand-in stays: one refusal after the other, of the proxies of a fleet,
// is no news.
func TestTheFirstStandInStays(t *testing.T) {
	store := NewStore()
	var scopes []*Resource
	for version := range 3 {
		scopes = append(scopes, light(ScopedRoute, "a", version))
		store.Publish([]Change{{ScopedRoute, "a", scopes[version]}})
	}
	store.Suspect(scopes[2], scopes[1])
	before := store.Latest()
	store.Suspect(scopes[2], scopes[0])
	if store.Latest() != before {
		t.Error("another stand-in for the same version is published")
	}
}

// A large response is built and encoded once, for whoever needs the same one.
func TestBatchesAreShared(t *testing.T) {
	store := hundredThousand(t)
	old := store.Latest()
	snap := store.Publish([]Change{{Cluster, "n1", light(Cluster, "n1", 2)}})
	for _, get := range []func() *content{
		func() *content { return snap.full(Cluster) },
		func() *content { return &snap.since(empty, Cluster).upserts },
		func() *content { return &snap.since(old, Cluster).upserts },
	} {
		one := get()
		if other := get(); one != other {
			t.Error("built twice")
		}
	}
}

// Of several changes of a name only the last counts, also for what stands in for
// a suspect: a batch that goes through another version and back ends nothing.
func TestStandInOutlivesADetour(t *testing.T) {
	store := NewStore()
	scope := func(version int) Change { return Change{ScopedRoute, "a", light(ScopedRoute, "a", version)} }
	for version := range 2 {
		store.Publish([]Change{scope(version)})
	}
	store.Suspect(store.Latest().lookup(ScopedRoute, "a"), light(ScopedRoute, "a", 0))
	good := store.Latest().standIn(store.Latest().lookup(ScopedRoute, "a"))
	if good == nil {
		t.Fatal("a suspect has no stand-in")
	}
	store.Publish([]Change{scope(2), scope(1)})
	if now := store.Latest(); now.standIn(now.lookup(ScopedRoute, "a")) != good {
		t.Error("the stand-in is lost")
	}
}
