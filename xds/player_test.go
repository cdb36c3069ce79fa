package xds

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// player is a client in a game: what it asked for, what it holds, and what must
// be true of whatever it is sent.
type player struct {
	*Session
	game    *game
	name    string
	sotw    bool
	odd     bool // refuses what others accept
	envoy   bool // takes up clusters as Envoy does
	partly  int  // what it takes up of what it refuses: its removals, nothing, or all that is good
	streams int

	sides   [numTypes]side
	refused map[suspect]time.Time // when
	taken   map[suspect]int       // how often it has refused a listener: a port is free again some day
	slow    bool                  // something was not answered in time, or never will be: order is not promised any more
}

// side is what a player has to do with one type.
type side struct {
	forgetful bool // its session remembers one response beside the newest
	behind    bool // it dropped all that it had while responses that its session forgot were not answered
	never     bool // it never asks for the type on this stream
	begun     bool // it did
	wildcard  bool
	names     map[string]bool
	everName  bool // state of the world: it named something

	held    map[string]*Resource // what it serves
	claimed bool                 // it came with some of it
	took    map[string]string    // versions that it accepted, and the server knows of that
	unsure  map[string]sentUpTo  // versions that were in a refused response
	kept    map[string]string    // placeholders that do not replace what it came with, by name (rule 91)
	seen    map[string]string    // scopes: the bytes it saw last, applied or not (rule 90)
	moved   map[string]bool      // names that were published since
	first   map[string]bool      // names that were there when it came, or that it came with
	version string               // state of the world: what it accepted last
	answers []*Response          // not answered yet, oldest first
	sent    time.Time            // when the last response came, unless it was answered
	half    map[string]string    // clusters: what is refused and half taken up, by name (see types.halfTaken)
	cold    map[string]uint64    // endpoints: which response had their cluster, until they come after it
	last    map[string]string    // clusters: the version that came last
	live    bool                 // it has answered once: from then on clusters warm up before they serve
	paused  []*Request           // clusters: answers that wait until nothing is half taken up

	told     map[string]bool // names that were said not to exist, and did not since
	cause    map[string]bool // names that there is a reason to speak of
	fickle   map[string]bool // names whose subscription changed, so that order is not promised
	asked    map[string]bool // names asked for by name: they may be said to be gone twice, here and in their turn
	forced   bool            // there is a reason for a response with everything
	replies  int             // how many responses it has asked for since the last one
	ignored  bool            // it did not take the last response (rule 41)
	swallows bool            // one response was never answered
}

// sentUpTo is a version in the responses up to a number.
type sentUpTo struct {
	version string
	upTo    uint64
}

func (s *side) selects(name string) bool { return s.wildcard || s.names[name] }

// stuck tells that Envoy answers nothing any more, and that nobody can mend it:
// its refusal waits, too, or came too late to count, or what it had before what it
// refused is not known here.
func (s *side) stuck() bool {
	return len(s.paused) > 0 && (s.claimed || s.forgetful || slices.ContainsFunc(s.paused, func(r *Request) bool { return r.Refused }))
}

// everyName makes a set of all names.
func everyName() map[string]bool { return setOf(gameNames) }

func (p *player) whole(t Type) bool { return p.sotw && types[t].wildcard }

func (p *player) logf(format string, args ...any) { p.game.logf(p.name+" "+format, args...) }

func (p *player) failf(format string, args ...any) { p.game.failf(p.name+" "+format, args...) }

// bad tells whether this player refuses a version, always.
func (p *player) bad(r *Resource) bool {
	n, _ := strconv.Atoi(r.Version)
	return (n%7 == 3 || p.odd && n%11 == 5) && p.taken[suspectOf(r)] < 3
}

// refuses tells whether this player refuses a version now: Envoy does not look
// again at what it has half taken up.
func (p *player) refuses(r *Resource) bool {
	return p.bad(r) && !(r.Type == Cluster && p.sides[Cluster].half[r.Name] == r.Version)
}

// look shows the player's session the newest snapshot.
func (p *player) look() { p.Publish(p.game.store.Latest()) }

// connect starts a new stream; the client may remember what it holds. It asks for
// its types in any order, and for some later, or never.
func (p *player) connect(remember bool) {
	g := p.game
	p.Session = NewSotwSession(g.store.Latest(), 5*time.Second)
	if !p.sotw {
		p.Session = NewDeltaSession(g.store.Latest(), 5*time.Second, 1000*p.streams)
	}
	if g.pick(4) == 0 {
		p.maxLate = 1
	}
	p.logf("connects, sotw %v, remembers %v", p.sotw, remember)
	p.streams++
	p.refused, p.slow = make(map[suspect]time.Time), false
	var order []Type
	for t := range numTypes {
		p.sides[t] = p.side(t, &p.sides[t], remember)
		order = slices.Insert(order, g.pick(len(order)+1), t)
	}
	for _, t := range order {
		if g.pick(4) > 0 {
			p.begin(t)
		}
	}
}

// side returns what a client has to do with a type when it connects.
func (p *player) side(t Type, old *side, remember bool) side {
	g := p.game
	s := side{
		names: make(map[string]bool), told: make(map[string]bool), cause: everyName(),
		fickle: make(map[string]bool), kept: make(map[string]string), moved: make(map[string]bool), first: make(map[string]bool), asked: make(map[string]bool), forced: true,
		held: make(map[string]*Resource), seen: make(map[string]string), half: make(map[string]string), took: make(map[string]string), unsure: make(map[string]sentUpTo), cold: make(map[string]uint64), last: make(map[string]string),
		never: g.pick(16) == 0, forgetful: p.maxLate == 1,
	}
	s.wildcard = types[t].wildcard && g.pick(4) > 0
	if !s.wildcard {
		s.names[g.name()], s.everName = true, true
	}
	if p.whole(t) && !s.wildcard { // Rule 24: who names what does not exist is told nothing.
		remember = false
	}
	for _, name := range gameNames {
		s.first[name] = g.store.Latest().lookup(t, name) != nil || remember && old.held[name] != nil
		if !remember || !s.selects(name) {
			continue
		}
		if res := old.held[name]; res != nil {
			s.held[name] = res
			s.fickle[name] = p.sotw // Nobody knows that it holds it.
		}
		if bytes, ok := old.seen[name]; ok && len(old.held) > 0 && !p.sotw { // Else it is taken for a fresh client.
			s.seen[name] = bytes
		}
	}
	if len(s.held) == 0 {
		clear(s.seen)
	}
	s.claimed = len(s.held) > 0 && !p.sotw
	return s
}

// begin asks for a type for the first time.
func (p *player) begin(t Type) {
	s := &p.sides[t]
	if s.never {
		return
	}
	s.begun = true
	if p.sotw {
		p.request(&Request{Type: t, Names: p.list(t)})
		return
	}
	p.look()
	r := &Request{Type: t, Subscribe: slices.Sorted(maps.Keys(s.names)), Claims: s.claims()}
	for name, res := range s.held {
		if now := p.game.store.Latest().lookup(t, name); now != nil && now.Placeholder && now.Version != res.Version {
			s.kept[name] = now.Version
		}
	}
	clear(s.moved)
	p.request(r)
}

// claims returns what a client holds.
func (s *side) claims() (claims []Claim) {
	for _, name := range slices.Sorted(maps.Keys(s.held)) {
		claims = append(claims, Claim{name, s.held[name].Version})
	}
	return claims
}

// hasMore tells that the client has something that it did not ask for yet.
func (p *player) hasMore() bool {
	return slices.ContainsFunc(p.sides[:], func(s side) bool { return !s.begun && len(s.held) > 0 })
}

// list returns the names in a state-of-the-world request.
func (p *player) list(t Type) []string {
	s := &p.sides[t]
	names := slices.Sorted(maps.Keys(s.names))
	if s.wildcard && s.everName {
		names = append(names, wildcard)
	}
	return names
}

// ask changes a subscription.
func (p *player) ask(t Type) {
	switch s := &p.sides[t]; {
	case !s.begun:
		p.begin(t)
		return
	case len(s.paused) > 0:
		return // It says nothing at all.
	}
	r := &Request{Type: t}
	if p.sotw {
		r.Nonce, r.Version = "stale", p.sides[t].version
	}
	p.change(t, r)
	p.request(r)
}

// change puts a change of the subscription into a request: one name, or several, or
// once more all that it asked for.
func (p *player) change(t Type, r *Request) {
	g, s := p.game, &p.sides[t]
	s.replies++
	if g.pick(8) == 0 && !p.sotw {
		r.Claims = s.claims() // They count in the first request only.
		r.Subscribe = slices.Sorted(maps.Keys(s.names))
		for _, name := range r.Subscribe {
			p.asksFor(t, name, true)
		}
		return
	}
	for range 1 + g.pick(2) {
		name, on := g.name(), g.pick(2) == 0
		if g.pick(6) == 0 {
			name = wildcard
		}
		if slices.Contains(r.Subscribe, name) || slices.Contains(r.Unsubscribe, name) {
			continue
		}
		both := !p.sotw && g.pick(8) == 0 // It drops the name, and asks for it again.
		if !on || both {
			r.Unsubscribe = append(r.Unsubscribe, name)
			p.asksFor(t, name, false)
		}
		if both {
			p.dropUnwanted(t)
		}
		if on || both {
			r.Subscribe = append(r.Subscribe, name)
			p.asksFor(t, name, true)
		}
	}
	if p.sotw {
		r.Subscribe, r.Unsubscribe = nil, nil
		switch {
		case s.everName:
		case len(s.names) == 0:
			s.wildcard = types[t].wildcard // It cannot say otherwise.
		default:
			s.wildcard = g.pick(2) == 0 // It names something for the first time: with or without the wildcard.
			for _, n := range gameNames {
				s.cause[n], s.fickle[n] = true, true
			}
		}
		s.everName = s.everName || len(s.names) > 0
		s.forced = true
		r.Names = p.list(t)
	}
	p.dropUnwanted(t)
}

// asksFor notes that the client asks for a name, or drops it.
func (p *player) asksFor(t Type, name string, on bool) {
	s := &p.sides[t]
	concerned := []string{name}
	if name == wildcard {
		concerned = gameNames
	}
	for _, n := range concerned {
		s.cause[n], s.fickle[n] = true, true
		if on || s.names[name] {
			delete(s.kept, n) // It is said anew.
		}
	}
	delete(s.told, name)
	switch {
	case name == wildcard:
		s.wildcard = on
	case on:
		s.names[name], s.asked[name] = true, true
	default:
		delete(s.names, name)
	}
}

// dropUnwanted forgets what the client does not ask for any more.
func (p *player) dropUnwanted(t Type) {
	s := &p.sides[t]
	for _, n := range gameNames {
		if !s.selects(n) {
			delete(s.held, n)
			delete(s.seen, n)
			delete(s.half, n)
			delete(s.last, n)
			delete(s.took, n)
		}
	}
}

// restart sends a state-of-the-world request without a nonce (rule 21).
func (p *player) restart(t Type) {
	s := &p.sides[t]
	if !p.sotw || !s.begun || len(s.paused) > 0 {
		return
	}
	s.cause, s.forced, s.replies = everyName(), true, s.replies+1
	p.request(&Request{Type: t, Names: p.list(t)})
}

func (p *player) request(r *Request) {
	p.logf("-> %s nonce %q refused %v names %v +%v -%v claims %v", r.Type, r.Nonce, r.Refused, r.Names, r.Subscribe, r.Unsubscribe, r.Claims)
	unrouted := p.bare && p.routed
	p.Request(r)
	if unrouted && !p.bare {
		p.reroute()
	}
}

// reroute takes up a listener after one was refused: as in Envoy, what the other had
// asked for is gone with it, and nobody asks again.
func (p *player) reroute() {
	for _, t := range leadsTo {
		s := &p.sides[t]
		s.held, s.seen, s.kept = make(map[string]*Resource), make(map[string]string), make(map[string]string)
		s.cause, s.forced = everyName(), true
		s.behind = s.forgetful && len(s.answers) > 1
		p.logf("drops every %s", t)
	}
}

// rude sends what no decent client sends; nothing may come of it.
func (p *player) rude(t Type) {
	if !p.sides[t].begun {
		return // It would be a first request.
	}
	r := &Request{Type: t, Nonce: "nobody's", Refused: p.game.pick(2) == 0, Reason: "rude"}
	if p.sotw {
		r.Names = p.list(t)
	}
	p.drain()
	p.Request(r)
	if t, out := p.Next(p.game.now); out != nil {
		p.failf("is rude (%s) and answered: %s", t, text(out))
	}
}

// swallow takes a response and never answers it.
func (p *player) swallow(t Type) {
	s := &p.sides[t]
	if s.swallows || len(s.answers) == 0 || slices.ContainsFunc(s.answers[0].Upserts, p.bad) {
		return
	}
	r := s.answers[0]
	s.answers = s.answers[1:]
	p.logf("swallows %s", text(r))
	s.swallows, p.slow = true, true
	for _, res := range r.Upserts {
		s.cause[res.Name] = true
	}
	for _, name := range r.Removes {
		s.cause[name] = true
	}
	s.forced = true
	p.apply(t, r)
}

// impatient tells that something may yet be sent because time passes.
func (p *player) impatient() bool {
	return slices.ContainsFunc(p.sides[:], func(s side) bool { return s.swallows || len(s.paused) > 0 || s.never && p.resumed }) ||
		slices.ContainsFunc(p.types[:], func(st typeState) bool { return st.retrial.pause > 0 })
}

// maySend tells that the player did not refuse a version on this stream, or may be
// asked again by now.
func (p *player) maySend(r *Resource) bool {
	at, refused := p.refused[suspectOf(r)]
	return !refused || types[r.Type].again && !p.game.now.Before(at.Add(againLeast))
}

// drain receives all that is due, checks each response, and tells whether anything
// happened.
func (p *player) drain() (any bool) {
	p.resume(Cluster)
	for {
		t, r := p.Next(p.game.now)
		for _, e := range p.Events() {
			switch e.Kind {
			case Refused:
				p.logf("refuses %s %s@%s", e.Type, e.Resource.Name, e.Resource.Version)
				p.refused[suspectOf(e.Resource)] = p.game.now
				if types[e.Type].again {
					p.taken[suspectOf(e.Resource)]++
				}
				p.game.change(func() {
					p.game.store.Suspect(e.Resource, e.Has)
					p.game.store.keep()
				})
				p.look()
				any = true // Others may be sent its stand-in.
			case AckTimeout:
				p.logf("is slow to answer %s", e.Type)
				p.slow = true
			}
		}
		p.State()
		if wrong := p.invariants(); wrong != "" {
			p.failf("%s", wrong)
		}
		if r == nil {
			return any
		}
		any = true
		p.logf("<- %s", text(r))
		p.check(t, r)
		p.sides[t].answers = append(p.sides[t].answers, r)
	}
}

// check holds a response against the promises.
func (p *player) check(t Type, r *Response) {
	s := &p.sides[t]
	if !s.sent.IsZero() && p.game.now.Sub(s.sent) < 5*time.Second && s.replies == 0 {
		p.failf("has a %s response in flight, and gets another: %s", t, text(r))
	}
	s.sent, s.replies = p.game.now, 0
	if len(r.Upserts)+len(r.Removes) == 0 && !s.forced && !p.whole(t) {
		p.failf("gets an empty response: %s", text(r))
	}
	caused, seen := s.forced || s.forgetful, make(map[string]bool)
	for _, res := range r.Upserts {
		name := res.Name
		switch {
		case seen[name]:
			p.failf("gets %q twice: %s", name, text(r))
		case !p.maySend(res):
			p.failf("refused %s %s@%s and gets it again: %s", t, name, res.Version, text(r))
		case !s.selects(name):
			p.failf("did not ask for %s %s: %s", t, name, text(r))
		case !s.cause[name] && !p.whole(t) && !s.forgetful:
			p.failf("gets %s %s without a cause: %s", t, name, text(r))
		case res.Placeholder && s.kept[name] == res.Version && !s.moved[name]:
			p.failf("holds %s %s@%s and gets a placeholder: %s", t, name, s.held[name].Version, text(r))
		}
		seen[name] = true
		caused = caused || s.cause[name]
		delete(s.told, name)
		if t == Cluster {
			endpoints := &p.sides[Endpoint]
			endpoints.cause[name], endpoints.asked[name] = true, true // It may be told that it gets none.
			if has := s.held[name]; s.last[name] != res.Version && (has == nil || has.Version != res.Version) {
				endpoints.cold[name] = number(r)
			}
			s.last[name] = res.Version
			delete(endpoints.kept, name)
		}
	}
	for _, name := range gone(p.whole(t), r, s.last) {
		delete(s.last, name)
	}
	for _, name := range r.Removes {
		if seen[name] {
			p.failf("gets %q in both lists: %s", name, text(r))
		}
		if !s.cause[name] && !s.asked[name] && !s.forgetful {
			p.failf("is told without a cause that %s %s is gone: %s", t, name, text(r))
		}
		caused, s.told[name] = true, true
		if !s.cause[name] {
			delete(s.asked, name)
		}
		p.broken(t, name, r)
	}
	if p.whole(t) {
		for _, name := range gameNames {
			caused = caused || s.selects(name) && s.cause[name]
			if s.held[name] != nil && !seen[name] {
				p.broken(t, name, r)
			}
		}
	}
	if !caused && !p.types[t].inflight.trial { // What is tried was in a refused response.
		p.failf("gets a response without a cause: %s", text(r))
	}
	s.forced = false
	p.said(t, r)
}

// said forgets the causes of what was now said in its newest form.
func (p *player) said(t Type, r *Response) {
	s, latest := &p.sides[t], p.game.store.Latest()
	if st := &p.types[t]; st.at != latest || len(st.trail) > 0 {
		return // On its way it may yet see what was and is no more.
	}
	for _, res := range r.Upserts {
		if now := latest.lookup(t, res.Name); now != nil && now.Version == res.Version {
			delete(s.cause, res.Name)
		}
	}
	for _, name := range gone(p.whole(t), r, everyName()) {
		if latest.lookup(t, name) == nil {
			delete(s.cause, name)
		}
	}
}

// broken looks whether the removal of a cluster breaks a scope (rule 54).
func (p *player) broken(t Type, name string, r *Response) {
	clusters, scopes := &p.sides[Cluster], &p.sides[ScopedRoute]
	switch {
	case t != Cluster || !p.game.orderly || p.slow:
		return
	case clusters.held[name] == nil || clusters.fickle[name]:
		return
	case clusters.names[name] && !p.sotw: // Whoever asks is answered at once.
		return
	case !scopes.begun && !p.resumed: // Nobody knows that it was connected before.
		return
	case (scopes.claimed || !scopes.begun) && !clusters.first[name]: // What an unknown form needs cannot be younger.
		return
	}
	for _, scope := range gameNames {
		held := scopes.held[scope]
		if held != nil && scopes.selects(scope) && !scopes.fickle[scope] && slices.Contains(held.Needs, name) {
			p.failf("holds scope %s@%s and loses its cluster: %s", scope, held.Version, text(r))
		}
	}
}

// answer answers the oldest response of a type, and may change its subscription
// in the same message (rules 18, 46).
func (p *player) answer(t Type, andAsk bool) {
	s := &p.sides[t]
	if len(s.answers) == 0 {
		return
	}
	r := s.answers[0]
	s.answers = s.answers[1:]
	if len(s.answers) == 0 {
		s.sent = time.Time{}
	} else { // It was overtaken; what its answer says may be news.
		s.forced = true
		for _, res := range r.Upserts {
			s.cause[res.Name] = true
		}
		for _, name := range r.Removes {
			s.cause[name] = true
		}
	}
	req := &Request{Type: t, Nonce: r.Nonce}
	switch bad := slices.IndexFunc(r.Upserts, p.refuses); {
	case p.sotw && !types[t].wildcard && !s.wildcard && len(s.names) == 0:
		s.ignored = true
	case bad < 0:
		p.apply(t, r)
		s.version = r.Version
		s.ignored = false
	default:
		s.ignored = false
		req.Refused, req.Reason = true, "it is bad"
		switch {
		case t == Cluster && p.envoy:
			req.Reason = "Error adding/updating cluster(s)"
			for _, res := range r.Upserts {
				if p.refuses(res) {
					req.Reason += ", " + res.Name + ": it is bad"
				}
			}
			req.Reason = strings.Replace(req.Reason, "(s),", "(s)", 1)
		case p.game.pick(3) == 0:
			req.Reason = "bad: '" + r.Upserts[bad].Name + "'"
		}
		p.refuse(t, r, bad)
	}
	req.Version = s.version
	good := slices.ContainsFunc(r.Upserts, func(r *Resource) bool { return !p.bad(r) })
	if len(s.half) > 0 && (len(s.paused) > 0 || s.live && good) {
		s.paused = append(s.paused, req)
		return
	}
	s.live = true
	if andAsk {
		p.change(t, req)
	} else if p.sotw {
		req.Names = p.list(t)
	}
	p.resume(t)
	p.request(req)
}

// resume sends the answers that waited, if nothing is half taken up any more.
func (p *player) resume(t Type) {
	s := &p.sides[t]
	if len(s.half) > 0 {
		return
	}
	for _, waiting := range s.paused {
		s.cause, s.forced = everyName(), true
		if p.sotw {
			waiting.Names = p.list(t)
		}
		p.request(waiting)
	}
	s.paused = nil
}

// answerAll answers everything, and tells whether there was anything.
func (p *player) answerAll() (any bool) {
	for t := range numTypes {
		for len(p.sides[t].answers) > 0 {
			any = true
			p.answer(t, false)
		}
	}
	return any
}

// apply takes up an accepted response.
func (p *player) apply(t Type, r *Response) {
	s := &p.sides[t]
	p.drop(t, r)
	for _, res := range r.Upserts {
		if !s.selects(res.Name) {
			continue // unsubscribed meanwhile
		}
		if s.half[res.Name] == res.Version {
			continue // Nothing new, it believes.
		}
		delete(s.half, res.Name)
		if t == ScopedRoute {
			if s.seen[res.Name] == string(res.body()) {
				continue // Rule 90: nothing new, it believes.
			}
			s.seen[res.Name] = string(res.body())
		}
		s.hold(res, r)
		switch unsure := s.unsure[res.Name]; {
		case p.sotw && p.game.store.Latest().lookup(t, res.Name) == nil: // It was forgotten.
		case unsure.version == res.Version && number(r) <= unsure.upTo: // Its acknowledgement proves nothing.
		default:
			s.took[res.Name] = res.Version
		}
		delete(s.kept, res.Name)
	}
}

// hold takes up a resource of a response.
func (s *side) hold(res *Resource, r *Response) {
	s.held[res.Name] = res
	if s.cold[res.Name] < number(r) {
		delete(s.cold, res.Name)
	}
}

// number returns which response of its stream one is.
func number(r *Response) uint64 {
	n, _ := strconv.ParseUint(r.Nonce, 36, 64)
	return n
}

// refuse takes up what even a refused response changes (rules 45, 90).
func (p *player) refuse(t Type, r *Response, bad int) {
	s := &p.sides[t]
	for _, res := range r.Upserts {
		s.cause[res.Name] = true
		s.unsure[res.Name] = sentUpTo{res.Version, p.nonces}
	}
	for _, name := range r.Removes {
		s.cause[name] = true
	}
	s.forced = true
	if t == Cluster && p.envoy {
		p.drop(t, r)
		for _, res := range r.Upserts {
			switch {
			case !s.selects(res.Name):
			case s.half[res.Name] == res.Version: // Nothing new, it believes.
			case p.refuses(res):
				s.half[res.Name] = res.Version
				s.asked[res.Name] = true // To clear it away does not wait for its turn.
			default:
				s.hold(res, r)
				delete(s.half, res.Name)
			}
		}
		return
	}
	switch p.partly {
	case 0:
		p.drop(t, r)
	case 1: // It takes up nothing.
	case 2:
		p.drop(t, r)
		for _, res := range r.Upserts {
			if s.selects(res.Name) && !p.refuses(res) && t != ScopedRoute {
				s.hold(res, r)
				s.fickle[res.Name] = true // Nobody knows that it holds it.
			}
		}
	}
	if t != ScopedRoute {
		return
	}
	for _, res := range r.Upserts[:bad] {
		if s.selects(res.Name) && !((p.sotw || s.forgetful) && s.fickle[res.Name]) {
			s.seen[res.Name] = string(res.body())
		}
	}
}

// drop takes up what a response removes.
func (p *player) drop(t Type, r *Response) {
	s := &p.sides[t]
	for _, name := range gone(p.whole(t), r, s.held) {
		delete(s.held, name)
		delete(s.seen, name)
	}
	for _, name := range gone(p.whole(t), r, s.half) {
		delete(s.half, name)
	}
}

// gone returns which of some names a response removes: those that it says, or
// those that are not in it if it is whole.
func gone[V any](whole bool, r *Response, names map[string]V) []string {
	if !whole {
		return r.Removes
	}
	var out []string
	for name := range names {
		if !slices.ContainsFunc(r.Upserts, func(res *Resource) bool { return res.Name == name }) {
			out = append(out, name)
		}
	}
	return out
}

// compare holds what the player has, now that all is quiet, against what it
// should have.
func (p *player) compare() {
	snap := p.game.store.Latest()
	p.changed = true
	state, _ := p.State()
	for t := range numTypes {
		s := &p.sides[t]
		if !s.begun || s.stuck() || s.swallows && p.whole(t) {
			continue // Nothing can be tried while a response with everything is open.
		}
		for _, name := range gameNames {
			want, has := snap.lookup(t, name), s.held[name]
			switch {
			case !s.selects(name):
			case want == nil && removesLater(t) && p.needs(name):
			case want == nil && has != nil && (!p.sotw || p.whole(t)):
				p.failf("holds %s %s@%s, which does not exist", t, name, has.Version)
			case want == nil && s.names[name] && !p.sotw && !s.told[name]:
				p.failf("was never told that %s %s does not exist", t, name)
			case want == nil:
			case s.kept[name] == want.Version: // Rule 91.
			case s.behind && has == nil: // Its session cannot know which bytes it saw in what it answers after all (rule 90).
			case p.bad(want):
				switch e := state.Exceptions[ResourceName{t, name}]; {
				case has != nil && has.Version == want.Version:
					p.failf("holds %s %s@%s, which it refuses", t, name, want.Version)
				case !(e.Refused && e.Version == want.Version) && !s.swallows && !s.ignored && !s.forgetful:
					p.failf("refuses %s %s@%s, and nobody knows", t, name, want.Version)
				case has == nil && p.game.standIn(want, p) && !p.slow && !s.ignored && !s.swallows:
					p.failf("has no form of %s %s, though there is a good one", t, name)
				case t == Endpoint && s.cold[name] > 0 && p.sides[Cluster].held[name] != nil && has != nil && has.Version == s.took[name] && !p.slow && !s.ignored && !s.swallows:
					p.failf("has cluster %s, and the endpoints that it accepted did not come after it", name)
				}
			case t == Endpoint && s.cold[name] > 0 && p.sides[Cluster].held[name] != nil && !s.ignored && !s.swallows:
				p.failf("has cluster %s, and no endpoints came after it", name)
			case has == nil || has.Version != want.Version:
				p.failf("does not hold %s %s@%s, but %s (sotw %v)", t, name, want.Version, versionsOf(has), p.sotw)
			}
		}
	}
	for t, ts := range state.Types {
		if s := &p.sides[t]; s.begun && ts.Acked != snap.seq && !s.swallows && !s.stuck() {
			p.failf("acknowledged %s up to %d, want %d", Type(t), ts.Acked, snap.seq)
		}
	}
	for name, e := range state.Exceptions {
		if s := &p.sides[name.Type]; !e.Refused && !s.swallows && !s.stuck() {
			p.failf("is still to try %v", name)
		}
	}
}

// needs tells whether an old form of something may lead to a cluster, also one that
// the server does not know.
func (p *player) needs(name string) bool {
	for t := range numTypes {
		if p.sides[t].swallows || !p.sides[t].begun {
			return true // Nobody knows what it has.
		}
		for _, held := range p.sides[t].held {
			now := p.game.store.Latest().lookup(t, held.Name)
			old := now != nil && (p.bad(now) || now.Placeholder) && now.Version != held.Version
			if old && (p.sides[t].claimed && !removesLater(t) || slices.Contains(held.Needs, name)) {
				return true
			}
		}
	}
	return false
}

func versionsOf(r *Resource) string {
	if r == nil {
		return "nothing"
	}
	return r.Version
}
