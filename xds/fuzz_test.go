package xds

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// FuzzSession plays random clients against random publications. The data decides
// every choice; see game.
func FuzzSession(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add(randomBytes(r, 300))
	}
	resources := make(stock)
	f.Fuzz(func(t *testing.T, data []byte) { play(t, resources, data) })
}

// TestSessionHoldsItsPromises is a fixed amount of FuzzSession.
func TestSessionHoldsItsPromises(t *testing.T) {
	r, resources := rand.New(rand.NewPCG(3, 4)), make(stock)
	for n, steps := 0, 0; steps < 100_000; n++ {
		data := randomBytes(r, 50+r.IntN(1500))
		if !t.Run(fmt.Sprint(n), func(t *testing.T) { steps += play(t, resources, data) }) {
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

// play plays one game and returns how many steps it had. A game that is lost is
// played once more, telling what happens: writing it down takes longer than
// playing.
func play(t *testing.T, resources stock, data []byte) int {
	steps, err := newGame(resources, data, nil).play()
	if err != nil {
		_, err = newGame(resources, data, t.Logf).play()
		t.Fatal(err)
	}
	return steps
}
