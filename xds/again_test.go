package xds

import (
	"testing"
	"time"
)

// Whether a client that refuses a listener has an older one decides whether it serves.
func TestStateSaysWhetherAnOlderFormIsHeld(t *testing.T) {
	store := NewStore()
	s := NewDeltaSession(store.Publish(changes(t, "listener http@1")), time.Second, 0)
	answer := func(refused bool) Exception {
		t.Helper()
		_, r := s.Next(time.Unix(0, 0))
		if r == nil {
			t.Fatal("nothing is sent")
		}
		s.Request(&Request{Type: Listener, Nonce: r.Nonce, Refused: refused, Reason: "taken"})
		s.Next(time.Unix(0, 0))
		state, _ := s.State()
		return state.Exceptions[ResourceName{Listener, "http"}]
	}
	s.Request(&Request{Type: Listener})
	if e := answer(true); e.Older || !e.Refused || e.Reason != "taken" {
		t.Errorf("a first listener is refused: %+v", e)
	}
	s.Publish(store.Publish(changes(t, "listener http@2")))
	if e := answer(false); e != (Exception{}) {
		t.Errorf("accepted: %+v", e)
	}
	s.Publish(store.Publish(changes(t, "listener http@3")))
	if e := answer(true); !e.Older || !e.Refused {
		t.Errorf("the next one is refused: %+v", e)
	}
}
