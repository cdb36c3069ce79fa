package xds

import (
	"cmp"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// game is a store, whoever publishes to it, and some players: clients that obey
// the protocol, except when they do not. Whoever breaks a promise loses: play
// returns what it was.
//
// The promises, and where each is checked:
//
//   - At most one push of a type is in flight, but for answers to requests: check, by
//     the time since the last that was not answered.
//   - A refused version is never sent again to who refused it, or not before its
//     time (types.again): check, by the refusals that the session told.
//   - Every subscription is answered: compare. What exists is held, of what does
//     not, a delta client was told so.
//   - A cluster is followed by endpoints that the client accepts: compare, by what was
//     sent after the cluster (cold). Where it refuses the newest, and its answers were
//     late, it may have none.
//   - Nothing is taken that something acknowledged still needs: broken, of the
//     clusters of scopes, where whoever publishes is orderly and the player quick; also
//     of scopes that the player had before and did not ask for yet.
//   - When all is quiet the client holds what it selected, but for what it refuses;
//     of that somebody knows, and it has the last good form: compare. Not of those
//     who wait for ever (stuck) or never answer (swallows), nor of those whose listener
//     recovers while they answer what their session forgot (behind). What an old form
//     may need may stay.
//   - Nothing is sent without a cause: check, response by response and name by name;
//     settle, once all is quiet; rude, of answers to nothing. Trials count as caused. Not
//     of sessions that remember one late response (forgetful): they say much again.
//   - Nothing panics: play.
//
// By convention each version of a scope needs one cluster, one version in seven is
// refused by everyone, one in eleven by odd players (of listeners three times, then
// they are taken), and one in thirteen of scopes is a placeholder.
type game struct {
	data  []byte // the choices not yet made
	trace func(format string, args ...any)
	stock stock

	store    *keeper
	versions int
	now      time.Time
	late     bool                       // time passes quickly
	orderly  bool                       // whoever publishes never takes a cluster from a scope
	has      map[ResourceName]*Resource // what was published last

	players []*player
}

// lost is how a game ends early.
type lost string

func newGame(resources stock, data []byte, trace func(string, ...any)) *game {
	return &game{
		data: data[:min(len(data), 2_000)], trace: trace, stock: resources,
		store: newKeeper(), now: time.Unix(0, 0),
		has: make(map[ResourceName]*Resource),
	}
}

// play returns how many steps the game had.
func (g *game) play() (steps int, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case lost:
			err = fmt.Errorf("%s", p)
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	g.orderly, g.late = g.pick(2) == 0, g.pick(4) == 0
	g.publish()
	for i := range 1 + g.pick(3) {
		p := &player{game: g, name: string(rune('A' + i)), sotw: g.pick(2) == 0, odd: g.pick(2) == 0, envoy: g.pick(3) > 0, partly: g.pick(3),
			taken: make(map[suspect]int)}
		g.players = append(g.players, p)
		p.connect(false)
	}
	for ; len(g.data) > 0; steps++ {
		g.step()
		for _, p := range g.players {
			p.drain()
		}
	}
	g.settle()
	for _, p := range g.players {
		p.compare()
	}
	return steps, nil
}

func (g *game) step() {
	p := g.players[g.pick(len(g.players))]
	t := Type(g.pick(int(numTypes)))
	switch g.pick(16) {
	case 0, 1, 2:
		g.publish()
	case 3, 4, 5, 6, 7:
		p.answer(t, g.pick(4) == 0)
	case 8, 9, 10:
		p.ask(t)
	case 11:
		p.rude(t)
	case 12:
		if g.pick(6) == 0 || g.late {
			g.wait()
		}
	case 13:
		if g.pick(8) == 0 {
			p.connect(g.pick(3) > 0)
		}
	case 14:
		p.look()
	case 15:
		switch g.pick(8) {
		case 0:
			p.restart(t)
		case 1:
			p.swallow(t)
		case 2:
			if g.pick(4) == 0 {
				g.changeServers()
			}
		}
	}
}

// wait lets more time pass than a server waits for an answer.
func (g *game) wait() {
	g.now = g.now.Add(6 * time.Second)
	g.logf("six seconds pass")
	for _, p := range g.players {
		p.slow = p.slow || p.hasMore()
	}
}

// changeServers lets another server take over, which knows nothing of what the old
// one learnt: of some scopes it has a placeholder, and not what they lead to.
func (g *game) changeServers() {
	g.logf("another server")
	led := make(map[string]bool)
	for _, name := range gameNames {
		scope := ResourceName{ScopedRoute, name}
		if g.has[scope] == nil {
			continue
		}
		if g.pick(3) == 0 {
			g.versions += 13 - (g.versions+7)%13 // See stock.
			g.has[scope] = g.resource(scope, g.versions)
		}
		led[g.has[scope].Needs[0]] = true
	}
	for _, name := range slices.Sorted(maps.Keys(led)) {
		if cluster := (ResourceName{Cluster, name}); g.orderly && g.has[cluster] == nil {
			g.versions++
			g.has[cluster] = g.resource(cluster, g.versions)
		}
	}
	g.store = newKeeper()
	var all []Change
	for _, name := range slices.SortedFunc(maps.Keys(g.has), func(a, b ResourceName) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name))
	}) {
		if removesLater(name.Type) && !led[name.Name] && g.pick(2) == 0 {
			delete(g.has, name)
			continue
		}
		version, _ := strconv.Atoi(g.has[name].Version)
		g.has[name] = g.resource(name, version)
		all = append(all, Change{name.Type, name.Name, g.has[name]})
		g.logf("publish %s %s@%s placeholder %v needs %v", name.Type, name.Name, g.has[name].Version, g.has[name].Placeholder, g.has[name].Needs)
	}
	g.store.publish(all)
	for _, p := range g.players {
		p.connect(g.pick(4) > 0)
	}
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

func (g *game) logf(format string, args ...any) {
	if g.trace != nil {
		g.trace(format, args...)
	}
}

func (g *game) failf(format string, args ...any) { panic(lost(fmt.Sprintf(format, args...))) }

var gameNames = []string{"a", "b", "c", "d", "e", "f"}

func (g *game) name() string { return gameNames[g.pick(len(gameNames))] }

// publish changes up to eight resources, some for the worse. Some players see it
// at once.
func (g *game) publish() {
	changes := make(map[ResourceName]Change)
	for range 1 + g.pick(8) {
		name := ResourceName{Type(g.pick(int(numTypes))), g.name()}
		c := Change{Type: name.Type, Name: name.Name}
		switch g.pick(8) {
		case 0, 1: // gone
		case 2: // as it was some time ago
			c.Resource = g.resource(name, g.pick(g.versions+1))
		default:
			g.versions++
			c.Resource = g.resource(name, g.versions)
		}
		changes[name] = c
	}
	if g.orderly {
		g.order(changes)
	}
	sorted := slices.SortedFunc(maps.Values(changes), func(a, b Change) int { return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name)) })
	for _, c := range sorted {
		name := ResourceName{c.Type, c.Name}
		if c.Resource == nil {
			delete(g.has, name)
			g.logf("publish %s -%s", c.Type, c.Name)
			continue
		}
		g.has[name] = c.Resource
		g.logf("publish %s %s@%s placeholder %v needs %v", c.Type, c.Name, c.Resource.Version, c.Resource.Placeholder, c.Resource.Needs)
	}
	g.change(func() { g.store.publish(sorted) })
	for _, p := range g.players {
		if g.pick(4) > 0 {
			p.look()
		}
	}
}

// change changes the store, and gives every player a cause to hear of what is
// another now.
func (g *game) change(do func()) {
	before := g.store.Latest()
	do()
	for t := range numTypes {
		for _, name := range gameNames {
			if before == nil || before.lookup(t, name) != g.store.Latest().lookup(t, name) {
				for _, p := range g.players {
					p.sides[t].cause[name], p.sides[t].moved[name] = true, true
					if p.sotw && g.store.Latest().lookup(t, name) == nil {
						delete(p.sides[t].took, name) // Nobody could tell it.
					}
				}
			}
		}
	}
}

// standIn tells whether there is a last good form of a version that a player would
// take.
func (g *game) standIn(r *Resource, p *player) bool {
	standIn := g.store.Latest().standIn(r)
	return standIn != nil && !p.bad(standIn)
}

// order completes changes so that no scope is without its cluster.
func (g *game) order(changes map[ResourceName]Change) {
	for _, name := range gameNames {
		scope := g.has[ResourceName{ScopedRoute, name}]
		if c, changed := changes[ResourceName{ScopedRoute, name}]; changed {
			scope = c.Resource
		}
		if scope == nil {
			continue
		}
		cluster := ResourceName{Cluster, scope.Needs[0]}
		if c, changed := changes[cluster]; changed && c.Resource == nil {
			delete(changes, cluster)
		}
		if _, changed := changes[cluster]; !changed && g.has[cluster] == nil {
			g.versions++
			changes[cluster] = Change{Type: Cluster, Name: cluster.Name, Resource: g.resource(cluster, g.versions)}
		}
	}
}

// resource returns a new copy of a resource.
func (g *game) resource(name ResourceName, version int) *Resource {
	return g.stock.get(name, version)
}

// settle lets everyone see the newest and answer until all is quiet.
func (g *game) settle() {
	for _, p := range g.players {
		for t := range numTypes {
			if !p.sides[t].begun {
				p.begin(t)
			}
		}
	}
	for quiet, i := 0, 0; quiet < 3; i++ {
		if i > 1000 {
			g.failf("it never becomes quiet")
		}
		patient, active := true, false
		for _, p := range g.players {
			patient = patient && !p.impatient()
			p.look()
			active = p.drain() || active
			active = p.answerAll() || active
		}
		switch {
		case !active:
			quiet++
			g.wait()
			g.now = g.now.Add(againMost) // Longer than anything waits.
		case quiet > 0 && patient:
			g.failf("not quiet after all")
		default:
			quiet = 0
		}
	}
}

// stock keeps encoded resources: a million games use the same few thousand.
type stock map[ResourceName][]*Resource

func (s stock) get(name ResourceName, version int) *Resource {
	for len(s[name]) <= version {
		v := len(s[name])
		r := testResource(name.Type, name.Name, strconv.Itoa(v))
		r.Placeholder = name.Type == ScopedRoute && v%13 == 6
		if name.Type == ScopedRoute {
			r.Needs = []string{gameNames[v%len(gameNames)]}
		}
		s[name] = append(s[name], r)
	}
	r := *s[name][version] // It belongs to one store only.
	return &r
}
