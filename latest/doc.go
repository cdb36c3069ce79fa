// Package latest is the one seam between the rooms of this program: a map that
// keeps only the latest value of each key until somebody takes them all.
//
// Producers never wait and nothing piles up: what arrives while the consumer is
// busy replaces what it had not yet seen, and forms its next batch. There is no
// debounce: an idle consumer is woken by the first value at once.
//
// It never calls back, never blocks, and never drops the newest value of a key.
package latest
