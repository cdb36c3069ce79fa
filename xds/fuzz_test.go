package xds

import (
	"math/rand/v2"
	"os"
	"strconv"
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

// TestSessionHoldsItsPromises is a fixed amount of FuzzSession: a million steps, of
// several seeds. With XDS_STEPS set it is that many steps of other games each time, or
// those of XDS_SEED.
func TestSessionHoldsItsPromises(t *testing.T) {
	if os.Getenv("XDS_STEPS") != "" {
		playMany(t, fromEnv(t, "XDS_STEPS", 0), fromEnv(t, "XDS_SEED", rand.Uint64()))
		return
	}
	for seed := range uint64(4) {
		playMany(t, stepsOfASeed, seed+1)
	}
}

// playMany plays games until they had some number of steps.
func playMany(t *testing.T, want, seed uint64) {
	r, resources := rand.New(rand.NewPCG(3, seed)), make(stock)
	games, steps := 0, uint64(0)
	for ; steps < want && !t.Failed(); games++ {
		steps += uint64(play(t, resources, randomBytes(r, 50+r.IntN(1500))))
	}
	t.Logf("XDS_SEED=%d: %d games, %d steps", seed, games, steps)
}

// fromEnv returns the number in an environment variable.
func fromEnv(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
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
		t.Error(err)
	}
	return steps
}
