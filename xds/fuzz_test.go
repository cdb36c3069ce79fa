package xds

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzSession plays random clients against random publications. The data decides
// every choice; see play.
func FuzzSession(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add(randomBytes(r, 300))
	}
	f.Fuzz(func(t *testing.T, data []byte) { play(t, data) })
}

// TestSessionHoldsItsPromises is a fixed amount of FuzzSession.
func TestSessionHoldsItsPromises(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	steps := 0
	for game := 0; steps < 100_000; game++ {
		data := randomBytes(r, 50+r.IntN(1500))
		if !t.Run(fmt.Sprint(game), func(t *testing.T) { steps += play(t, data) }) {
			return
		}
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// game is one client, which may be rude, and a store.
type game struct {
	t    *testing.T
	data []byte

	store    *Store
	versions int
	bad      map[*Resource]bool // what the client refuses
	now      time.Time

	*Session
	sotw     bool
	streams  int
	wildcard [numTypes]bool
	names    [numTypes]map[string]bool
	held     [numTypes]map[string]*Resource
	poisoned [numTypes]map[string]string // bytes that the client acknowledges and does not take up (rule 90)
	answers  [numTypes][]*Response       // not answered yet, oldest first
	last     [numTypes]*Response
	told     [numTypes]map[string]bool // names that were said not to exist, and did not since
	refused  map[versioned2]bool
	expired  bool // some push timed out: order is not promised any more
}

type versioned2 struct {
	t             Type
	name, version string
}

// play plays one game and returns how many steps it had.
func play(t *testing.T, data []byte) (steps int) {
	g := &game{t: t, data: data, store: NewStore(), bad: make(map[*Resource]bool), now: time.Unix(0, 0)}
	g.publish()
	g.sotw = g.pick(2) == 0
	g.connect(false)
	for ; len(g.data) > 0; steps++ {
		switch g.pick(12) {
		case 0, 1, 2:
			g.publish()
		case 3, 4, 5, 6:
			g.answer(Type(g.pick(int(numTypes))))
		case 7, 8:
			g.ask(Type(g.pick(int(numTypes))))
		case 9:
			g.rude(Type(g.pick(int(numTypes))))
		case 10:
			if g.pick(6) == 0 {
				g.now = g.now.Add(6 * time.Second)
			}
		case 11:
			if g.pick(8) == 0 {
				g.connect(g.pick(3) > 0)
			}
		}
		g.drain()
	}
	g.settle()
	return steps
}

// pick returns a number below n.
func (g *game) pick(n int) int {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return int(b) % n
}

var gameNames = []string{"a", "b", "c", "d", "e", "f"}

// publish changes up to eight resources, some for the worse.
func (g *game) publish() {
	changes := make(map[ResourceName]Change)
	for range 1 + g.pick(8) {
		name := ResourceName{Type(g.pick(int(numTypes))), gameNames[g.pick(len(gameNames))]}
		c := Change{Type: name.Type, Name: name.Name}
		switch g.pick(8) {
		case 0, 1: // gone
		case 2: // as it was some time ago
			c.Resource = testResource(g.t, name.Type, name.Name, fmt.Sprint(g.pick(g.versions+1)))
		default:
			g.versions++
			c.Resource = testResource(g.t, name.Type, name.Name, fmt.Sprint(g.versions))
		}
		changes[name] = c
	}
	sorted := slices.SortedFunc(maps.Values(changes), func(a, b Change) int { return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name)) })
	for _, c := range sorted {
		if c.Resource != nil {
			g.t.Logf("publish %s %s@%s", c.Type, c.Name, c.Resource.Version)
		} else {
			g.t.Logf("publish %s -%s", c.Type, c.Name)
		}
	}
	g.store.Publish(sorted)
	if g.Session != nil {
		g.Session.Publish(g.store.Latest())
	}
}

// isBad: one version in seven is refused by this client, always.
func isBad(r *Resource) bool {
	n := 0
	fmt.Sscan(r.Version, &n)
	return n%7 == 3
}

// connect starts a new stream; a delta client may claim what it holds.
func (g *game) connect(claim bool) {
	held := g.held
	if g.sotw {
		g.Session = NewSotwSession(g.store.Latest(), 5*time.Second)
	} else {
		g.Session = NewDeltaSession(g.store.Latest(), 5*time.Second, 1000*g.streams)
	}
	g.t.Logf("connect, sotw %v, claim %v", g.sotw, claim)
	g.streams++
	g.refused, g.expired = make(map[versioned2]bool), false
	for t := range numTypes {
		g.answers[t], g.last[t] = nil, nil
		g.wildcard[t] = types[t].wildcard && g.pick(4) > 0
		g.names[t], g.told[t] = make(map[string]bool), make(map[string]bool)
		if !g.wildcard[t] {
			g.names[t][gameNames[g.pick(len(gameNames))]] = true
		}
		if !claim || g.sotw {
			g.held[t], g.poisoned[t] = make(map[string]*Resource), make(map[string]string)
		}
		r := &Request{Type: t}
		if g.sotw {
			r.Names = slices.Sorted(maps.Keys(g.names[t]))
		} else {
			r.Subscribe = slices.Sorted(maps.Keys(g.names[t]))
			if claim {
				r.Claims = make(map[string]string)
				for name, res := range held[t] {
					if g.wildcard[t] || g.names[t][name] {
						r.Claims[name] = res.Version
					} else {
						delete(g.held[t], name)
					}
				}
			}
		}
		g.request(r)
	}
}

// ask changes a subscription.
func (g *game) ask(t Type) {
	name := gameNames[g.pick(len(gameNames))]
	r := &Request{Type: t}
	on := g.pick(2) == 0
	if g.sotw {
		if types[t].wildcard && g.wildcard[t] {
			return // A client that began with the wildcard stays with it.
		}
		if on {
			g.names[t][name] = true
		} else if len(g.names[t]) > 1 {
			delete(g.names[t], name)
			delete(g.held[t], name)
		}
		r.Names = slices.Sorted(maps.Keys(g.names[t]))
		if g.last[t] != nil {
			r.Nonce, r.Version = "stale", g.last[t].Version
		}
	} else if on {
		g.names[t][name] = true
		delete(g.told[t], name)
		r.Subscribe = []string{name}
	} else {
		if g.names[t][name] && !g.wildcard[t] {
			delete(g.held[t], name)
		}
		delete(g.names[t], name)
		delete(g.told[t], name)
		r.Unsubscribe = []string{name}
	}
	g.request(r)
}

func (g *game) request(r *Request) {
	g.t.Logf("-> %s nonce %q refused %v names %v +%v -%v claims %v", r.Type, r.Nonce, r.Refused, r.Names, r.Subscribe, r.Unsubscribe, r.Claims)
	g.Request(r)
}

// rude sends what no decent client sends; nothing may come of it.
func (g *game) rude(t Type) {
	r := &Request{Type: t, Nonce: "nobody's", Refused: g.pick(2) == 0, Reason: "rude"}
	if g.sotw {
		r.Names = slices.Sorted(maps.Keys(g.names[t]))
	}
	for t := range numTypes {
		if len(g.answers[t]) > 0 {
			return // so that what follows has no other cause
		}
	}
	g.drain()
	g.Request(r)
	if t, out := g.Next(g.now); out != nil {
		g.t.Fatalf("a rude %s request was answered: %s", t, text(out))
	}
}

// drain receives all that is due and checks each response.
func (g *game) drain() {
	for {
		t, r := g.Next(g.now)
		for _, e := range g.Events() {
			switch e.Kind {
			case Refused:
				g.refused[versioned2{e.Type, e.Resource.Name, e.Resource.Version}] = true
				g.store.Suspect(e.Resource)
				g.Session.Publish(g.store.Latest())
			case AckTimeout:
				g.expired = true
			}
		}
		if r == nil {
			break
		}
		p := g.types[t].inflight
		g.t.Logf("<- %s (new: %s, trial %v)", text(r), text(&Response{Upserts: p.fresh}), p.trial)
		g.check(t, r)
		g.answers[t] = append(g.answers[t], r)
		g.last[t] = r
	}
	g.State()
}

func (g *game) check(t Type, r *Response) {
	g.t.Helper()
	if n := len(g.answers[t]); n > 0 && !g.expired {
		g.t.Fatalf("%d %s responses in flight, and another: %s", n, t, text(r))
	}
	seen := make(map[string]bool)
	for _, res := range r.Upserts {
		if seen[res.Name] {
			g.t.Fatalf("%q is in a response twice: %s", res.Name, text(r))
		}
		seen[res.Name] = true
		if g.refused[versioned2{t, res.Name, res.Version}] {
			g.t.Fatalf("%s %s@%s was refused and is sent again: %s", t, res.Name, res.Version, text(r))
		}
		if !g.wildcard[t] && !g.names[t][res.Name] {
			g.t.Fatalf("%s %s was not asked for: %s", t, res.Name, text(r))
		}
		delete(g.told[t], res.Name)
	}
	for _, name := range r.Removes {
		if seen[name] {
			g.t.Fatalf("%q is in both lists: %s", name, text(r))
		}
		g.told[t][name] = true
		// Make before break: nothing that it acknowledged needs this cluster.
		if _, needed := g.held[ScopedRoute][name]; t == Cluster && needed && !g.expired && !g.names[Cluster][name] && len(g.refused) == 0 &&
			g.store.Latest().lookup(ScopedRoute, name) == nil && g.wildcard[ScopedRoute] && g.wildcard[Cluster] {
			g.t.Fatalf("cluster %s is removed while its scope is held: %s", name, text(r))
		}
	}
}

// answer answers the oldest response of a type.
func (g *game) answer(t Type) {
	if len(g.answers[t]) == 0 {
		return
	}
	r := g.answers[t][0]
	g.answers[t] = g.answers[t][1:]
	req := &Request{Type: t, Nonce: r.Nonce, Version: r.Version}
	if g.sotw && (!types[t].wildcard || !g.wildcard[t]) {
		req.Names = slices.Sorted(maps.Keys(g.names[t]))
	}
	bad := slices.IndexFunc(r.Upserts, isBad)
	if bad >= 0 {
		req.Refused, req.Reason = true, "it is bad"
		if g.pick(3) == 0 {
			req.Reason = "bad: '" + r.Upserts[bad].Name + "'"
		}
		for _, name := range r.Removes {
			delete(g.held[t], name) // Rule 45.
		}
		for _, res := range r.Upserts {
			if t == ScopedRoute {
				g.poisoned[t][res.Name] = string(res.body())
			}
		}
	} else {
		g.apply(t, r)
	}
	g.request(req)
}

func (g *game) apply(t Type, r *Response) {
	if g.sotw && types[t].wildcard {
		for name := range g.held[t] {
			if !slices.ContainsFunc(r.Upserts, func(res *Resource) bool { return res.Name == name }) {
				delete(g.held[t], name)
			}
		}
	}
	for _, res := range r.Upserts {
		if !g.wildcard[t] && !g.names[t][res.Name] {
			continue // unsubscribed meanwhile
		}
		if g.poisoned[t][res.Name] == string(res.body()) && !g.sotw && t == ScopedRoute && g.held[t][res.Name] == nil {
			continue
		}
		g.held[t][res.Name] = res
	}
	for _, name := range r.Removes {
		delete(g.held[t], name)
	}
}

// settle lets the client answer until it is quiet, and compares what it holds
// with what it asked for.
func (g *game) settle() {
	for range 1000 {
		g.drain()
		quiet := true
		for t := range numTypes {
			for len(g.answers[t]) > 0 {
				quiet = false
				g.answer(t)
			}
		}
		if quiet {
			g.now = g.now.Add(6 * time.Second)
			if t, r := g.Next(g.now); r != nil {
				g.t.Fatalf("not quiet after all: %s %s", t, text(r))
			}
			g.compare()
			return
		}
	}
	g.t.Fatal("it never becomes quiet")
}

func (g *game) compare() {
	snap := g.store.Latest()
	for t := range numTypes {
		for _, name := range gameNames {
			want, has := snap.lookup(t, name), g.held[t][name]
			switch {
			case !g.wildcard[t] && !g.names[t][name]:
			case want == nil && has != nil && (types[t].sayGone && !g.sotw || g.sotw && types[t].wildcard):
				g.t.Errorf("%s %s@%s is held and does not exist", t, name, has.Version)
			case want == nil && g.names[t][name] && !g.sotw && types[t].sayGone && !g.told[t][name]:
				g.t.Errorf("%s %s: never told that it does not exist", t, name)
			case want != nil && isBad(want):
				if has != nil && has.Version == want.Version {
					g.t.Errorf("%s %s@%s: bad, and held", t, name, want.Version)
				}
			case want != nil && (has == nil || has.Version != want.Version):
				g.t.Errorf("%s %s: held %v, want %s (sotw %v)", t, name, has, want.Version, g.sotw)
			}
		}
	}
	s, _ := g.State()
	g.changed = true
	s, _ = g.State()
	for t, ts := range s.Types {
		if ts.Acked != snap.seq {
			g.t.Errorf("%s: acknowledged %d, want %d", Type(t), ts.Acked, snap.seq)
		}
	}
	for name, e := range s.Exceptions {
		if !e.Refused {
			g.t.Errorf("%v is still being tried", name)
		}
	}
}
