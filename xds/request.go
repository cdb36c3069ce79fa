package xds

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// Request is a discovery request of either protocol, of a known type. Its strings
// may be parts of one long text: whoever keeps one keeps a copy (rule 7).
type Request struct {
	Type    Type
	Nonce   string
	Refused bool   // error_detail is present: a NACK, and nothing else is (rule 40)
	Reason  string // its message

	Version string   // state of the world: version_info
	Names   []string // state of the world: resource_names

	Subscribe   []string // delta
	Unsubscribe []string // delta
	Claims      []Claim  // delta: initial_resource_versions
}

// Claim is a resource that a client says it holds from an earlier stream.
type Claim struct{ Name, Version string }

// message is a request as it came in.
//
// It is decoded here and not by protobuf, because it may name 10,000 resources:
// a string each made for them was a sixth of what a proxy that connects costs.
// Here the whole message is one string, and they are parts of it.
type message struct {
	delta bool   // which protocol's; set before it is decoded
	node  string // the node's id
	url   string

	// tooMuch says which bound the message exceeds; nil: none. What is beyond was not
	// decoded.
	tooMuch error

	Request
}

// What one client may ask for. A server of 100,000 sites is well within these.
const (
	// maxNames is how many names a list of a request may have, and how many names a
	// stream may ask for, of all types, that do not exist: those that do cost a bit each.
	maxNames = 250_000

	// maxName is how long a name, a version, a type's URL and a node's id may be, in bytes.
	// Ours have less than 300.
	maxName = 512
)

// exceeds returns the error of who asks for more than anyone may.
func exceeds(format string, args ...any) error {
	return status.Errorf(codes.ResourceExhausted, format, args...)
}

// Field numbers of envoy/service/discovery/v3/discovery.proto and what it uses.
const (
	fieldSotwVersion = 1 // DiscoveryRequest
	fieldSotwNode    = 2
	fieldSotwNames   = 3
	fieldSotwURL     = 4
	fieldSotwNonce   = 5
	fieldSotwError   = 6

	fieldDeltaNode        = 1 // DeltaDiscoveryRequest
	fieldDeltaURL         = 2
	fieldDeltaSubscribe   = 3
	fieldDeltaUnsubscribe = 4
	fieldDeltaClaims      = 5
	fieldDeltaNonce       = 6
	fieldDeltaError       = 7

	fieldNodeID        = 1 // envoy.config.core.v3.Node
	fieldStatusMessage = 2 // google.rpc.Status
	fieldKey           = 1 // an entry of a map
	fieldValue         = 2
)

// decode sets m from an encoded DiscoveryRequest or DeltaDiscoveryRequest.
func (m *message) decode(data mem.BufferSlice) error {
	var b strings.Builder
	b.Grow(data.Len())
	for _, part := range data {
		b.Write(part.ReadOnlyData())
	}
	text := b.String()
	var fields [fieldDeltaError + 1]int // how many there are of each, so that lists need not grow
	err := eachField(text, func(number protowire.Number, _ string) error {
		if int(number) < len(fields) {
			fields[number]++
		}
		return nil
	})
	switch m.tooMuch = m.tooMany(fields[:]); {
	case err != nil:
		return err
	case m.tooMuch != nil:
		return nil
	case !m.delta:
		m.Names = make([]string, 0, fields[fieldSotwNames])
		return eachField(text, m.sotwField)
	}
	m.Subscribe = make([]string, 0, fields[fieldDeltaSubscribe])
	m.Claims = make([]Claim, 0, fields[fieldDeltaClaims])
	return eachField(text, m.deltaField)
}

// tooMany returns an error if a list has too many names, given how many there are of
// each field.
func (m *message) tooMany(fields []int) error {
	lists := []int{fieldSotwNames}
	if m.delta {
		lists = []int{fieldDeltaSubscribe, fieldDeltaUnsubscribe, fieldDeltaClaims}
	}
	for _, list := range lists {
		if n := fields[list]; n > maxNames {
			return exceeds("a request has %d names in field %d: at most %d are served", n, list, maxNames)
		}
	}
	return nil
}

// short notes that a text is too long to be kept.
func (m *message) short(what, text string) {
	if len(text) > maxName && m.tooMuch == nil {
		m.tooMuch = exceeds("a %s is of %d bytes: at most %d are served", what, len(text), maxName)
	}
}

func (m *message) sotwField(number protowire.Number, value string) error {
	switch number {
	case fieldSotwVersion:
		return set(&m.Version, value)
	case fieldSotwNode:
		return m.setNode(value)
	case fieldSotwNames:
		m.short("name", value)
		return add(&m.Names, value)
	case fieldSotwURL:
		m.short("type URL", value)
		return set(&m.url, value)
	case fieldSotwNonce:
		return set(&m.Nonce, value)
	case fieldSotwError:
		return m.setError(value)
	}
	return nil
}

func (m *message) deltaField(number protowire.Number, value string) error {
	switch number {
	case fieldDeltaNode:
		return m.setNode(value)
	case fieldDeltaURL:
		m.short("type URL", value)
		return set(&m.url, value)
	case fieldDeltaSubscribe:
		m.short("name", value)
		return add(&m.Subscribe, value)
	case fieldDeltaUnsubscribe:
		return add(&m.Unsubscribe, value)
	case fieldDeltaClaims:
		return m.addClaim(value)
	case fieldDeltaNonce:
		return set(&m.Nonce, value)
	case fieldDeltaError:
		return m.setError(value)
	}
	return nil
}

func (m *message) setNode(node string) error {
	return eachField(node, func(number protowire.Number, value string) error {
		if number == fieldNodeID {
			m.short("node id", value)
			return set(&m.node, value)
		}
		return nil
	})
}

func (m *message) setError(status string) error {
	m.Refused = true
	return eachField(status, func(number protowire.Number, value string) error {
		if number == fieldStatusMessage {
			return set(&m.Reason, strings.Clone(value)) // It is kept in many places.
		}
		return nil
	})
}

func (m *message) addClaim(entry string) error {
	var c Claim
	err := eachField(entry, func(number protowire.Number, value string) error {
		switch number {
		case fieldKey:
			return set(&c.Name, value)
		case fieldValue:
			return set(&c.Version, value)
		}
		return nil
	})
	m.short("name", c.Name)
	m.short("version", c.Version)
	m.Claims = append(m.Claims, c)
	return err
}

var errNotUTF8 = errors.New("a string is not UTF-8")

func set(field *string, value string) error {
	*field = value
	if !utf8.ValidString(value) {
		return errNotUTF8
	}
	return nil
}

func add(field *[]string, value string) error {
	*field = append(*field, value)
	if !utf8.ValidString(value) {
		return errNotUTF8
	}
	return nil
}

// eachField yields the fields of a message that are strings or messages, in
// order. The others are not in use.
func eachField(text string, yield func(number protowire.Number, value string) error) error {
	for len(text) > 0 {
		tag, n := varint(text)
		number, kind := protowire.DecodeTag(tag)
		text = text[n:]
		value := ""
		switch kind {
		case protowire.VarintType:
			_, n = varint(text)
		case protowire.Fixed32Type:
			n = 4
		case protowire.Fixed64Type:
			n = 8
		case protowire.BytesType:
			size, head := varint(text)
			if size > uint64(len(text)-head) {
				return fmt.Errorf("field %d is cut off", number)
			}
			n = head + int(size)
			value = text[head:n]
		default:
			return fmt.Errorf("field %d is of wire type %d, which nobody uses", number, kind)
		}
		if number < protowire.MinValidNumber || n == 0 || n > len(text) {
			return fmt.Errorf("field %d is malformed", number)
		}
		text = text[n:]
		if kind == protowire.BytesType {
			if err := yield(number, value); err != nil {
				return fmt.Errorf("field %d: %w", number, err)
			}
		}
	}
	return nil
}

// varint returns the number at the start of a text and how long it is there: 0
// if there is none.
func varint(text string) (v uint64, n int) {
	for n < len(text) && n < maxVarint {
		b := text[n]
		v |= uint64(b&0x7f) << (7 * n)
		n++
		if b < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

const maxVarint = 10
