package xds

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Resource is one xDS resource, encoded once for both protocols and all
// streams. It is immutable once published, and belongs to one Store.
//
// There may be hundreds of thousands: its strings are parts of wire, and the
// order of its fields leaves no gaps.
type Resource struct {
	Name    string
	Version string // opaque; by default a hash of the bytes, equal on every replica of one build (rule 36)

	// wire is a field 2 of a DeltaDiscoveryResponse, tag included: a
	// discovery.Resource whose own field 2, an Any, comes last. wire[state:] is
	// that field with its tag: the very bytes of a field 2 of a
	// (state-of-the-world) DiscoveryResponse. One encoding serves both.
	wire string

	// Again, if set, turns the resource's message into other bytes that mean the same,
	// for the n-th attempt after a refusal (rule 90). The name must stay. It is one
	// function for many resources and knows none of them: they hold nothing for it.
	Again func(msg proto.Message, n int) proto.Message

	// Needs names the clusters that this leads to. They are not taken from a client
	// that has this form because it refused the next one.
	Needs []string

	sum   uint64 // of name and version; what a table adds up to its version
	slot  uint32 // its place in the tables of its Store; set by Publish
	state uint32

	Type Type

	// Placeholder: this stands in for a resource whose last good form is unknown.
	// It is sent only to clients that hold no form of it (rule 91).
	Placeholder bool
}

// Field numbers of envoy/service/discovery/v3/discovery.proto.
const (
	fieldResources = 2 // DiscoveryResponse, DeltaDiscoveryResponse

	fieldResourceVersion = 1 // Resource
	fieldResourceState   = 2
	fieldResourceName    = 3

	fieldAnyURL   = 1 // google.protobuf.Any
	fieldAnyValue = 2
)

// NewResource encodes a message. Its name is the one inside the message, so the
// two cannot differ (rule 28). It fails when the message is not of the type, has
// no name, or cannot be encoded.
func NewResource(t Type, msg proto.Message) (*Resource, error) {
	if got := "type.googleapis.com/" + string(msg.ProtoReflect().Descriptor().FullName()); got != t.URL() {
		return nil, fmt.Errorf("encode %s resource: message is a %s", t, got)
	}
	name := nameOf(msg)
	if name == "" {
		return nil, fmt.Errorf("encode %s resource: it has no name", t)
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil {
		return nil, fmt.Errorf("encode %s resource %q: %w", t, name, err)
	}
	hash := sha256.Sum256(body)
	// 9 bytes are 12 characters without padding; names and versions of 100,000
	// resources travel in one message when a client reconnects (rule 66).
	r := &Resource{Type: t}
	r.encode(name, base64.RawURLEncoding.EncodeToString(hash[:9]), body)
	return r, nil
}

// WithVersion returns the resource under a version chosen by the caller.
func (r *Resource) WithVersion(version string) *Resource {
	c := *r
	c.encode(r.Name, version, r.body())
	return &c
}

// again returns the resource for its n-th attempt: other bytes, same identity.
func (r *Resource) again(n int) (*Resource, error) {
	if r.Again == nil {
		return r, nil
	}
	msg, err := (&anypb.Any{TypeUrl: r.Type.URL(), Value: r.body()}).UnmarshalNew()
	if err != nil {
		return nil, fmt.Errorf("decode %s resource %q: %w", r.Type, r.Name, err)
	}
	other, err := NewResource(r.Type, r.Again(msg, n))
	if err != nil {
		return nil, err
	}
	if other.Name != r.Name {
		return nil, fmt.Errorf("attempt %d of %s resource %q is named %q", n, r.Type, r.Name, other.Name)
	}
	other.slot, other.Placeholder, other.Again, other.Needs = r.slot, r.Placeholder, r.Again, r.Needs
	other.encode(r.Name, r.Version, other.body())
	return other, nil
}

// unknownForm returns what a client has that this server knows the version of, and
// nothing else.
func unknownForm(r *Resource, version string) *Resource {
	return &Resource{Type: r.Type, Name: r.Name, Version: version}
}

// known tells whether there is a resource, and its contents are known.
func (r *Resource) known() bool { return r != nil && len(r.wire) > 0 }

// Size returns the bytes that the resource takes in a delta response.
func (r *Resource) Size() int { return len(r.wire) }

func (r *Resource) delta() string { return r.wire }
func (r *Resource) sotw() string  { return r.wire[r.state:] }

// body returns the encoded message inside the Any.
func (r *Resource) body() []byte {
	b := []byte(r.sotw())
	_, _, n := protowire.ConsumeTag(b)
	any, _ := protowire.ConsumeBytes(b[n:])
	for {
		field, _, n := protowire.ConsumeTag(any)
		value, m := protowire.ConsumeBytes(any[n:])
		if field == fieldAnyValue {
			return value
		}
		any = any[n+m:]
	}
}

// encode sets everything that is in the bytes.
func (r *Resource) encode(name, version string, body []byte) {
	anySize := protowire.SizeTag(fieldAnyURL) + protowire.SizeBytes(len(r.Type.URL())) +
		protowire.SizeTag(fieldAnyValue) + protowire.SizeBytes(len(body))
	id := make([]byte, 0, len(name)+len(version)+32)
	id = protowire.AppendString(protowire.AppendTag(id, fieldResourceName, protowire.BytesType), name)
	nameEnd := len(id)
	id = protowire.AppendString(protowire.AppendTag(id, fieldResourceVersion, protowire.BytesType), version)
	size := len(id) + protowire.SizeTag(fieldResourceState) + protowire.SizeBytes(anySize)

	head := make([]byte, 0, len(id)+len(r.Type.URL())+32)
	head = protowire.AppendVarint(protowire.AppendTag(head, fieldResources, protowire.BytesType), uint64(size))
	nameEnd += len(head)
	head = append(head, id...)
	state := len(head)
	head = protowire.AppendVarint(protowire.AppendTag(head, fieldResourceState, protowire.BytesType), uint64(anySize))
	head = protowire.AppendString(protowire.AppendTag(head, fieldAnyURL, protowire.BytesType), r.Type.URL())
	head = protowire.AppendVarint(protowire.AppendTag(head, fieldAnyValue, protowire.BytesType), uint64(len(body)))

	var wire strings.Builder
	wire.Grow(len(head) + len(body))
	wire.Write(head)
	wire.Write(body)
	r.wire, r.state = wire.String(), uint32(state)
	r.Name, r.Version = r.wire[nameEnd-len(name):nameEnd], r.wire[state-len(version):state]

	sum := sha256.Sum256(id)
	r.sum = binary.LittleEndian.Uint64(sum[:])
}

// nameOf returns the name that a resource's message carries.
func nameOf(msg proto.Message) string {
	switch m := msg.(type) {
	case interface{ GetClusterName() string }: // ClusterLoadAssignment
		return m.GetClusterName()
	case interface{ GetName() string }:
		return m.GetName()
	}
	return ""
}
