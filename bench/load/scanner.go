package load

import "encoding/binary"

// A message is what a client needs to know of one response.
type message struct {
	typeURL   []byte // only until the next message
	nonce     []byte
	version   []byte
	resources int
	size      int    // bytes, the five of gRPC's frame included
	small     []byte // all of it if it is at most smallSize and asked for
}

// smallSize bounds what is kept of a response to look for markers in.
const smallSize = 64 << 10

// A scanner reads gRPC messages that are discovery responses of either protocol
// as their bytes come, without keeping the resources: a client that decodes 10 MB
// would be measured instead of the server.
type scanner struct {
	keepSmall bool
	done      func(*message) // called at the end of each message

	message
	state  int
	left   int // of the message
	field  int // left of the field
	number uint64
	varint uint64
	shift  uint
	head   []byte
	take   *[]byte // where the field's bytes go; nil: nowhere
}

const (
	atHead = iota
	atTag
	atLength
	atField
	atNumber // a varint field
)

// Fields of both kinds of responses.
const (
	fieldVersion   = 1
	fieldResources = 2
	fieldTypeURL   = 4
	fieldNonce     = 5
)

func (s *scanner) write(b []byte) {
	for len(b) > 0 {
		b = b[s.step(b):]
		if s.state != atHead && s.left == 0 {
			s.end()
		}
	}
}

// step takes some bytes and returns how many.
func (s *scanner) step(b []byte) int {
	if s.state == atHead {
		n := min(len(b), 5-len(s.head))
		s.head = append(s.head, b[:n]...)
		if len(s.head) == 5 {
			s.begin(int(binary.BigEndian.Uint32(s.head[1:])))
		}
		return n
	}
	b = b[:min(len(b), s.left)]
	n := 1
	switch s.state {
	case atField:
		n = min(len(b), s.field)
		if s.take != nil {
			*s.take = append(*s.take, b[:n]...)
		}
		s.field -= n
		if s.field == 0 {
			s.state = atTag
		}
	default:
		s.varint |= uint64(b[0]&0x7f) << s.shift
		s.shift += 7
		if b[0] < 0x80 {
			s.number, s.varint, s.shift = s.varint, 0, 0
			s.next()
		}
	}
	if s.keepSmall && s.size <= smallSize {
		s.small = append(s.small, b[:n]...)
	}
	s.left -= n
	return n
}

// next goes on from a varint that is complete.
func (s *scanner) next() {
	switch s.state {
	case atTag:
		s.state = atLength
		if s.number&7 == 0 {
			s.state = atNumber
		}
		s.take = nil
		switch s.number >> 3 {
		case fieldResources:
			s.resources++
		case fieldVersion:
			s.take = &s.version
		case fieldTypeURL:
			s.take = &s.typeURL
		case fieldNonce:
			s.take = &s.nonce
		}
	case atLength:
		s.field, s.state = int(s.number), atField
		if s.field == 0 {
			s.state = atTag
		}
	case atNumber:
		s.state = atTag
	}
}

func (s *scanner) begin(size int) {
	s.message = message{
		typeURL: s.typeURL[:0], nonce: s.nonce[:0], version: s.version[:0], small: s.small[:0],
		size: size + 5,
	}
	s.head, s.left, s.state = s.head[:0], size, atTag
	if size == 0 {
		s.end()
	}
}

func (s *scanner) end() {
	s.state = atHead
	s.done(&s.message)
}
