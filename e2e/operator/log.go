package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

// An Entry is one line of the server's log.
type Entry struct {
	Level   string
	Message string
	Fields  map[string]any // everything else in the line
	Line    string         // the line itself
}

// Parse reads a log line. One that is not JSON (a panic, say) is an entry of level
// "error" whose message is the line.
func Parse(line []byte) Entry {
	entry := Entry{Line: string(line)}
	if err := json.Unmarshal(line, &entry.Fields); err != nil || entry.Fields["msg"] == nil {
		entry.Level, entry.Message, entry.Fields = "error", entry.Line, nil
		return entry
	}
	entry.Level = entry.Field("level")
	entry.Message = entry.Field("msg")
	delete(entry.Fields, "level")
	delete(entry.Fields, "msg")
	return entry
}

// Field returns a field as text, "" if there is none.
func (e Entry) Field(name string) string {
	value, ok := e.Fields[name]
	if !ok {
		return ""
	}
	return fmt.Sprint(value)
}

// Log collects entries.
type Log struct {
	mu      sync.Mutex
	entries []Entry
	more    chan struct{} // closed and replaced when an entry is added
}

func newLog() *Log { return &Log{more: make(chan struct{})} }

func (l *Log) add(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, Parse(line))
	close(l.more)
	l.more = make(chan struct{})
}

// Entries returns what was logged so far.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// Len returns how many entries there are: a position for Wait.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Wait returns the first entry at or after position from that matches, waiting for
// it if need be.
func (l *Log) Wait(ctx context.Context, from int, match func(Entry) bool) (Entry, error) {
	for {
		l.mu.Lock()
		fresh, more := l.entries[min(from, len(l.entries)):], l.more
		l.mu.Unlock()
		if i := slices.IndexFunc(fresh, match); i >= 0 {
			return fresh[i], nil
		}
		from += len(fresh)
		select {
		case <-more:
		case <-ctx.Done():
			return Entry{}, fmt.Errorf("wait for a log entry: %w", context.Cause(ctx))
		}
	}
}
