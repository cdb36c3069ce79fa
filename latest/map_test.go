package latest

import (
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTakeReturnsTheLatestOfEachKeyOnce(t *testing.T) {
	m := New[string, int]()
	m.Put("a", 1)
	m.Put("b", 2)
	m.Put("a", 3)
	<-m.Ready()
	if got, want := m.Take(), map[string]int{"a": 3, "b": 2}; !maps.Equal(got, want) {
		t.Fatalf("Take() = %v, want %v", got, want)
	}
	if got := m.Take(); len(got) != 0 {
		t.Fatalf("second Take() = %v, want nothing", got)
	}
	select {
	case <-m.Ready():
		t.Fatal("Ready() has a token although nothing was put since")
	default:
	}
}

func TestTakenIsTheConsumersUntilItTakesAgain(t *testing.T) {
	for _, n := range []int{1, 1000} {
		m := New[int, int]()
		for round := range 4 {
			for k := range n {
				m.Put(k, round)
			}
			taken := m.Take()
			m.Put(0, -1)
			m.Put(n, -1)
			if len(taken) != n || taken[0] != round {
				t.Fatalf("after puts, Take() of round %d is %d values, of which the first is %d", round, len(taken), taken[0])
			}
			if again := m.Take(); len(again) != 2 || again[0] != -1 || again[n] != -1 {
				t.Fatalf("the next Take() = %v", again)
			}
		}
	}
}

func TestPutAllOfNothingStillWakes(t *testing.T) {
	m := New[string, int]()
	m.PutAll(nil)
	select {
	case <-m.Ready():
	default:
		t.Fatal("Ready() has no token after PutAll(nil)")
	}
}

func TestNoPutIsLostBetweenProducersAndConsumer(t *testing.T) {
	const producers, puts = 8, 2000
	m := New[[2]int, bool]()
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range puts {
				m.Put([2]int{p, i}, true)
			}
		})
	}
	seen := make(map[[2]int]bool)
	for len(seen) < producers*puts {
		<-m.Ready() // hangs here if a put is ever lost
		maps.Copy(seen, m.Take())
	}
	wg.Wait()
}

func TestTakeSinceTellsWhenTheFirstWasPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New[string, int]()
		if _, since := m.TakeSince(); !since.IsZero() {
			t.Errorf("nothing since %v", since)
		}
		for range 2 {
			first := time.Now()
			m.Put("a", 1)
			time.Sleep(time.Second)
			m.Put("a", 2)
			m.PutAll(map[string]int{"b": 1})
			if taken, since := m.TakeSince(); len(taken) != 2 || !since.Equal(first) {
				t.Errorf("%v since %v, want %v", taken, since, first)
			}
		}
	})
}

// For nothing there is no time, also where there was one before.
func TestTakeSinceOfNothingIsNoTime(t *testing.T) {
	m := New[string, int]()
	m.Put("a", 1)
	if _, since := m.TakeSince(); since.IsZero() {
		t.Error("no time for a value")
	}
	if taken, since := m.TakeSince(); len(taken) != 0 || !since.IsZero() {
		t.Errorf("%v since %v, want nothing since never", taken, since)
	}
	m.PutAll(nil)
	if _, since := m.TakeSince(); !since.IsZero() {
		t.Errorf("nothing was put at %v", since)
	}
}
