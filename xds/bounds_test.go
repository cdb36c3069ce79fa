package xds

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"
)

// These tests go beyond the bounds of what is remembered of a client: what lies
// beyond costs more, and nothing is lost.

// converse answers all that a session sends, until it says no more, and returns it.
func converse(s *Session, store *Store, now time.Time, refuses func(*Resource) bool) (all []*Response) {
	s.Publish(store.Latest())
	for len(all) < 1000 {
		t, r := s.Next(now)
		for _, e := range s.Events() {
			if e.Kind == Refused {
				store.Suspect(e.Resource, e.Has)
				s.Publish(store.Latest())
			}
		}
		if r == nil {
			break
		}
		all = append(all, r)
		s.Request(answerTo(t, r, refuses))
	}
	return all
}

func answerTo(t Type, r *Response, refuses func(*Resource) bool) *Request {
	answer := &Request{Type: t, Nonce: r.Nonce}
	if i := slices.IndexFunc(r.Upserts, refuses); i >= 0 {
		answer.Refused, answer.Reason = true, "Error adding/updating cluster(s) "+r.Upserts[i].Name+": bad"
	}
	return answer
}

func named(name string) func(*Resource) bool {
	return func(r *Resource) bool { return r.Name == name }
}

func publish(s *Store, t Type, names ...string) {
	var changes []Change
	for _, name := range names {
		changes = append(changes, Change{t, name, testResource(t, name, "new")})
	}
	s.Publish(changes)
}

// A server with another build takes over, so all versions are others. Of more than
// are encoded anew, one is refused: its old form stays, and what it may lead to.
func TestOldFormOfManyClaimed(t *testing.T) {
	for _, typ := range []Type{Cluster, ScopedRoute} {
		t.Run(typ.String(), func(t *testing.T) {
			store, now := NewStore(), time.Unix(0, 0)
			r := &Request{Type: typ}
			var names []string
			for i := range maxTaintedClaims + 1 {
				name := fmt.Sprintf("c%03d", i)
				names = append(names, name)
				r.Claims = append(r.Claims, Claim{name, "old"})
			}
			publish(store, typ, names...)
			s := NewDeltaSession(store.Latest(), 5*time.Second, 100)
			if typ != Cluster {
				s.Request(&Request{Type: Cluster, Claims: []Claim{{"c007", "old"}}})
			}
			s.Request(r)
			for _, r := range converse(s, store, now, named("c007")) {
				if slices.Contains(r.Removes, "c007") {
					t.Errorf("of c007 the client has a form that works, and is sent %s", text(r))
				}
			}
		})
	}
}

// A client answers nothing while more responses are sent than are remembered, and
// then answers all, in order.
func TestAnswersAfterAllWereGivenUp(t *testing.T) {
	store, now := NewStore(), time.Unix(0, 0)
	publish(store, ScopedRoute, "first")
	s := NewDeltaSession(store.Latest(), 5*time.Second, 100)
	s.Request(&Request{Type: ScopedRoute})
	converse(s, store, now, named("bad"))
	publish(store, ScopedRoute, "good", "bad")
	var sent []*Response
	for i := range maxLate + 2 {
		s.Publish(store.Latest())
		_, r := s.Next(now)
		sent = append(sent, r)
		now = now.Add(6 * time.Second)
		publish(store, ScopedRoute, strconv.Itoa(i))
	}
	for _, r := range sent {
		s.Request(answerTo(ScopedRoute, r, named("bad")))
	}
	again := converse(s, store, now, named("bad"))
	if !slices.ContainsFunc(again, func(r *Response) bool {
		return slices.ContainsFunc(r.Upserts, named("good")) && !slices.ContainsFunc(r.Upserts, named("bad"))
	}) {
		t.Error("what was refused together with the bad one is not sent again")
	}
}

// A client refuses more versions than are remembered, and then one for which
// there is a stand-in, and the stand-in: each is sent once.
func TestRefusesMoreThanIsRemembered(t *testing.T) {
	store, now := NewStore(), time.Unix(0, 0)
	put := func(name string, version int) {
		store.Publish([]Change{{ScopedRoute, name, testResource(ScopedRoute, name, strconv.Itoa(version))}})
	}
	connect := func() *Session {
		s := NewDeltaSession(store.Latest(), 5*time.Second, 0)
		s.Request(&Request{Type: ScopedRoute})
		return s
	}
	all := func(*Resource) bool { return true }
	second := func(r *Resource) bool { return r.Name == "y" && r.Version == "2" }
	put("x", 0)
	refuses, accepts := connect(), connect()
	for i := range maxRefused {
		put("x", i+1)
		converse(refuses, store, now, all)
	}
	put("y", 1)
	converse(accepts, store, now, second)
	put("y", 2)
	converse(accepts, store, now, second) // It has y@1, the stand-in of y@2.
	if n := len(converse(refuses, store, now, all)); n > 10 {
		t.Errorf("%d responses to a client that refuses all of two versions", n)
	}
}

// One client refuses everything. The next, which refuses nothing, need not answer
// a response for each.
func TestManySuspects(t *testing.T) {
	store, now := NewStore(), time.Unix(0, 0)
	var names []string
	for i := range 200 {
		names = append(names, strconv.Itoa(i))
	}
	publish(store, ScopedRoute, names...)
	for _, refuses := range []func(*Resource) bool{func(*Resource) bool { return true }, named("100"), named("")} {
		s := NewDeltaSession(store.Latest(), 5*time.Second, 0)
		s.Request(&Request{Type: ScopedRoute})
		n := len(converse(s, store, now, refuses))
		t.Logf("%d responses", n)
		if refuses(testResource(ScopedRoute, "1", "1")) {
			continue
		}
		if n > 20 {
			t.Errorf("%d responses", n)
		}
	}
}
