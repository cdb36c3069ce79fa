package xds

import "sync"

// onceEach tells what happens for the first time. The zero value is ready.
type onceEach struct {
	mu   sync.Mutex // guards seen
	seen map[string]bool
}

// maxOnceEach bounds what clients can make us remember: they choose the names of
// types that are not served.
const maxOnceEach = 10_000

// first reports whether it was not asked about key before. Beyond maxOnceEach keys
// it says no.
func (o *onceEach) first(key string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[key] || len(o.seen) >= maxOnceEach {
		return false
	}
	setTrue(&o.seen, key)
	return true
}
