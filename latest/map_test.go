package latest

import (
	"maps"
	"sync"
	"testing"
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
