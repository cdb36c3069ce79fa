//go:build race

package xds

// The race detector makes a step cost ten times as much, and a session has no
// goroutine. So with it the game is short, and `make unit` plays it once more without.
const stepsOfASeed = 10_000
