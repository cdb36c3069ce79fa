package translate_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// state is what a World has handed out so far, all Deltas taken together, and
// checks that each of them keeps its promises.
type state struct {
	resources map[ResourceName]handedOut
	verdicts  map[Key]Verdict
}

type handedOut struct {
	bytes       []byte
	placeholder bool
	message     proto.Message // to see that nobody modifies it later
}

func newState() *state {
	return &state{make(map[ResourceName]handedOut), make(map[Key]Verdict)}
}

// apply adds a Delta, and returns what it breaks of: no name twice, nothing
// without a change, nothing removed that was not there.
func (s *state) apply(d Delta) error {
	seen := make(map[ResourceName]bool)
	for _, r := range d.Resources {
		name := ResourceName{Type: r.Type, Name: r.Name}
		if seen[name] {
			return fmt.Errorf("%v is in the delta twice", name)
		}
		seen[name] = true
		old, had := s.resources[name]
		if r.Message == nil {
			if !had {
				return fmt.Errorf("%v is removed but was never there", name)
			}
			delete(s.resources, name)
			continue
		}
		b := encode(r.Message)
		if had && bytes.Equal(b, old.bytes) && r.Placeholder == old.placeholder {
			return fmt.Errorf("%v is handed out again, unchanged", name)
		}
		s.resources[name] = handedOut{b, r.Placeholder, r.Message}
	}
	for _, v := range d.Verdicts {
		if v.Gone {
			if _, had := s.verdicts[v.Site]; !had {
				return fmt.Errorf("site %s is gone but was never there", v.Site)
			}
			delete(s.verdicts, v.Site)
			continue
		}
		s.verdicts[v.Site] = v
	}
	return nil
}

// difference says where two states differ; empty if nowhere.
func (s *state) difference(other *state) string {
	for name, r := range s.resources {
		o, found := other.resources[name]
		if !found {
			return fmt.Sprintf("%v is only in the first", name)
		}
		if !bytes.Equal(r.bytes, o.bytes) || r.placeholder != o.placeholder {
			return fmt.Sprintf("%v differs:\n%v\n%v", name, r.message, o.message)
		}
	}
	for name := range other.resources {
		if _, found := s.resources[name]; !found {
			return fmt.Sprintf("%v is only in the second", name)
		}
	}
	if !reflect.DeepEqual(s.verdicts, other.verdicts) {
		return fmt.Sprintf("verdicts differ:\n%v\n%v", s.verdicts, other.verdicts)
	}
	return ""
}

// unmodified says whether every message still is what it was when handed out.
func (s *state) unmodified() error {
	for name, r := range s.resources {
		if !bytes.Equal(encode(r.message), r.bytes) {
			return fmt.Errorf("%v was modified after it had been handed out", name)
		}
	}
	return nil
}

func encode(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

// mustApply applies changes to a World and its state, and returns the Delta.
func (s *state) mustApply(t *testing.T, w *World, changes map[Ref]Object) Delta {
	t.Helper()
	d := w.Apply(changes)
	if err := s.apply(d); err != nil {
		t.Fatal(err)
	}
	return d
}

// changesOf returns objects as changes.
func changesOf(objects ...Object) map[Ref]Object {
	changes := make(map[Ref]Object, len(objects))
	for _, o := range objects {
		changes[o.Ref()] = o
	}
	return changes
}

func contains(text []byte, part string) bool { return bytes.Contains(text, []byte(part)) }
