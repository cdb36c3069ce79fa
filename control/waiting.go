package control

import (
	"cmp"
	"slices"
)

// waiting are sites that are not held by our proxies, oldest snapshot first. An entry
// whose site has moved on to a later snapshot is passed over.
type waiting []waiter

type waiter struct {
	site *site
	seq  uint64
}

// current reports whether the site waits for just this snapshot.
func (w waiter) current() bool { return w.site.seq == w.seq }

// add has a site wait for the newest snapshot.
func (w *waiting) add(s *site) { *w = append(*w, waiter{s, s.seq}) }

// sort restores the order, after sites were added that wait for older snapshots.
func (w waiting) sort() {
	slices.SortFunc(w, func(a, b waiter) int { return cmp.Compare(a.seq, b.seq) })
}

// prune takes out of the first n those that do not wait any more.
func (w *waiting) prune(n int) {
	kept := n
	for i := n - 1; i >= 0; i-- {
		if e := (*w)[i]; e.current() && !e.site.held {
			kept--
			(*w)[kept] = e
		}
	}
	clear((*w)[:kept])
	*w = (*w)[kept:]
}
