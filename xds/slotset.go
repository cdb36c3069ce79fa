package xds

import "math/bits"

// slotSet is a set of slots of a table: a bit each, so that a stream which names
// 10,000 resources holds 1,250 bytes for them, not 10,000 strings. The zero
// value is empty.
type slotSet struct {
	words []uint64
	count int // bits set
}

func (s *slotSet) has(slot uint32) bool {
	w := int(slot / 64)
	return w < len(s.words) && s.words[w]&(1<<(slot%64)) != 0
}

func (s *slotSet) add(slot uint32) {
	w := int(slot / 64)
	if w >= len(s.words) {
		s.words = append(s.words, make([]uint64, w+1-len(s.words))...)
	}
	if bit := uint64(1) << (slot % 64); s.words[w]&bit == 0 {
		s.words[w] |= bit
		s.count++
	}
}

// addAll adds the slots of another set.
func (s *slotSet) addAll(o *slotSet) {
	if missing := len(o.words) - len(s.words); missing > 0 {
		s.words = append(s.words, make([]uint64, missing)...)
	}
	s.count = 0
	for i := range s.words {
		if i < len(o.words) {
			s.words[i] |= o.words[i]
		}
		s.count += bits.OnesCount64(s.words[i])
	}
}

func (s *slotSet) drop(slot uint32) {
	if s.has(slot) {
		s.words[slot/64] &^= 1 << (slot % 64)
		s.count--
	}
}

func (s *slotSet) clear() { *s = slotSet{} }

// each yields the slots in order. The set must not be changed meanwhile.
func (s *slotSet) each(yield func(slot uint32) bool) {
	for i, w := range s.words {
		for ; w != 0; w &= w - 1 {
			if !yield(uint32(i*64 + bits.TrailingZeros64(w))) {
				return
			}
		}
	}
}
