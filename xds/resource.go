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
// There may be hundreds of thousands: its strings are parts of one, and the order of
// its fields leaves no gaps.
type Resource struct {
	Name    string
	Version string // opaque; by default a hash of the bytes, equal on every replica of one build (rule 36)

	// message is the encoded message: what is different in each. What responses put
	// around it is added when they are written, once for all streams.
	message string

	// Again, if set, turns the resource's message into other bytes that mean the same,
	// for the n-th attempt after a refusal (rule 90). The name must stay. It is one
	// function for many resources and knows none of them: they hold nothing for it.
	Again func(msg proto.Message, n int) proto.Message

	// Needs names the clusters that this leads to. They are not taken from a client
	// that has this form because it refused the next one.
	Needs []string

	sum  uint64 // of name and version; what a table adds up to its version
	slot uint32 // its place in the tables of its Store; set by Publish

	Type Type

	// Placeholder: this stands in for a resource whose last good form is unknown.
	// A client that comes with another form of it keeps that (rule 91).
	Placeholder bool
}

// Field numbers of envoy/service/discovery/v3/discovery.proto.
const (
	fieldResources = 2 // DiscoveryResponse, DeltaDiscoveryResponse; the Any in a Resource too

	fieldResourceVersion = 1 // Resource
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
	r.fill(name, base64.RawURLEncoding.EncodeToString(hash[:9]), body)
	return r, nil
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
	other.fill(r.Name, r.Version, other.body())
	return other, nil
}

// unknownForm returns what a client has that this server knows the version of, and
// nothing else.
func unknownForm(r *Resource, version string) *Resource {
	return &Resource{Type: r.Type, Name: r.Name, Version: version}
}

// known reports whether there is a resource, and its contents are known.
func (r *Resource) known() bool { return r != nil && len(r.message) > 0 }

// body returns the encoded message.
func (r *Resource) body() []byte { return []byte(r.message) }

// fill sets the name, which is in the body, and what else the bytes decide.
func (r *Resource) fill(name, version string, body []byte) {
	var text strings.Builder
	text.Grow(len(body) + len(version))
	text.Write(body)
	text.WriteString(version)
	r.message, r.Version = text.String()[:len(body)], text.String()[len(body):]
	at := strings.Index(r.message, name)
	r.Name = r.message[at : at+len(name)]
	sum := sha256.Sum256(r.appendID(make([]byte, 0, r.idSize())))
	r.sum = binary.LittleEndian.Uint64(sum[:])
}

// Size returns the bytes that the resource takes in a delta response.
func (r *Resource) Size() int {
	return protowire.SizeTag(fieldResources) + protowire.SizeBytes(r.idSize()+r.sotwSize())
}

// appendDelta appends a field 2 of a DeltaDiscoveryResponse: a discovery.Resource
// whose own field 2, an Any, comes last. So it ends with the very bytes of a field
// 2 of a (state-of-the-world) DiscoveryResponse.
func (r *Resource) appendDelta(b []byte) []byte {
	b = protowire.AppendTag(b, fieldResources, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(r.idSize()+r.sotwSize()))
	return r.appendSotw(r.appendID(b))
}

// appendID appends the fields of a discovery.Resource that say which it is.
func (r *Resource) appendID(b []byte) []byte {
	b = protowire.AppendString(protowire.AppendTag(b, fieldResourceName, protowire.BytesType), r.Name)
	return protowire.AppendString(protowire.AppendTag(b, fieldResourceVersion, protowire.BytesType), r.Version)
}

func (r *Resource) idSize() int {
	return protowire.SizeTag(fieldResourceName) + protowire.SizeBytes(len(r.Name)) +
		protowire.SizeTag(fieldResourceVersion) + protowire.SizeBytes(len(r.Version))
}

// appendSotw appends a field 2 of a DiscoveryResponse, which a discovery.Resource
// has under the same number.
func (r *Resource) appendSotw(b []byte) []byte {
	b = protowire.AppendTag(b, fieldResources, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(r.anySize()))
	b = protowire.AppendString(protowire.AppendTag(b, fieldAnyURL, protowire.BytesType), r.Type.URL())
	return protowire.AppendString(protowire.AppendTag(b, fieldAnyValue, protowire.BytesType), r.message)
}

func (r *Resource) sotwSize() int {
	return protowire.SizeTag(fieldResources) + protowire.SizeBytes(r.anySize())
}

func (r *Resource) anySize() int {
	return protowire.SizeTag(fieldAnyURL) + protowire.SizeBytes(len(r.Type.URL())) +
		protowire.SizeTag(fieldAnyValue) + protowire.SizeBytes(len(r.message))
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
