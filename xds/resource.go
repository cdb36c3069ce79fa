package xds

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Resource is one xDS resource, encoded once for both protocols and all
// streams. It is immutable once published, and belongs to one Store.
type Resource struct {
	Type    Type
	Name    string
	Version string // opaque; by default a hash of the bytes, equal on every replica of one build (rule 36)

	// Placeholder: this stands in for a resource whose last good form is unknown.
	// It is sent only to clients that hold no form of it (rule 91).
	Placeholder bool

	// Again, if set, returns the same resource in other bytes for the n-th attempt
	// after a refusal (rule 90). The name must stay.
	Again func(n int) proto.Message

	// wire is a field 2 of a DeltaDiscoveryResponse, tag included: a
	// discovery.Resource whose own field 2, an Any, comes last. wire[state:] is
	// that field with its tag: the very bytes of a field 2 of a
	// (state-of-the-world) DiscoveryResponse. One encoding serves both.
	wire  []byte
	state int

	sum  uint64 // of name and version; what a table adds up to its version
	slot uint32 // its place in the tables of its Store; set by Publish
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
	r := &Resource{Type: t, Name: name, Version: base64.RawURLEncoding.EncodeToString(hash[:9])}
	r.encode(body)
	return r, nil
}

// WithVersion returns the resource under a version chosen by the caller.
func (r *Resource) WithVersion(version string) *Resource {
	c := *r
	c.Version = version
	c.encode(r.body())
	return &c
}

// again returns the resource for its n-th attempt: other bytes, same identity.
func (r *Resource) again(n int) (*Resource, error) {
	if r.Again == nil {
		return r, nil
	}
	other, err := NewResource(r.Type, r.Again(n))
	if err != nil {
		return nil, err
	}
	if other.Name != r.Name {
		return nil, fmt.Errorf("attempt %d of %s resource %q is named %q", n, r.Type, r.Name, other.Name)
	}
	other.Version, other.slot = r.Version, r.slot
	other.Placeholder, other.Again = r.Placeholder, r.Again
	other.encode(other.body())
	return other, nil
}

// Size returns the bytes that the resource takes in a delta response.
func (r *Resource) Size() int { return len(r.wire) }

func (r *Resource) delta() []byte { return r.wire }
func (r *Resource) sotw() []byte  { return r.wire[r.state:] }

// body returns the encoded message inside the Any.
func (r *Resource) body() []byte {
	b := r.sotw()
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

// encode sets wire, state and sum.
func (r *Resource) encode(body []byte) {
	anySize := protowire.SizeTag(fieldAnyURL) + protowire.SizeBytes(len(r.Type.URL())) +
		protowire.SizeTag(fieldAnyValue) + protowire.SizeBytes(len(body))
	head := protowire.AppendString(protowire.AppendTag(nil, fieldResourceName, protowire.BytesType), r.Name)
	head = protowire.AppendString(protowire.AppendTag(head, fieldResourceVersion, protowire.BytesType), r.Version)
	size := len(head) + protowire.SizeTag(fieldResourceState) + protowire.SizeBytes(anySize)

	w := make([]byte, 0, protowire.SizeTag(fieldResources)+protowire.SizeBytes(size))
	w = protowire.AppendTag(w, fieldResources, protowire.BytesType)
	w = protowire.AppendVarint(w, uint64(size))
	w = append(w, head...)
	r.state = len(w)
	w = protowire.AppendTag(w, fieldResourceState, protowire.BytesType)
	w = protowire.AppendVarint(w, uint64(anySize))
	w = protowire.AppendString(protowire.AppendTag(w, fieldAnyURL, protowire.BytesType), r.Type.URL())
	w = protowire.AppendBytes(protowire.AppendTag(w, fieldAnyValue, protowire.BytesType), body)
	r.wire = w

	id := sha256.Sum256(head)
	r.sum = binary.LittleEndian.Uint64(id[:])
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
