package xds

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of envoy/service/discovery/v3/discovery.proto.
const (
	fieldVersion = 1 // DiscoveryResponse.version_info, DeltaDiscoveryResponse.system_version_info
	fieldTypeURL = 4 // both
	fieldNonce   = 5 // both
	fieldRemoved = 6 // DeltaDiscoveryResponse.removed_resources

	fieldSotwControlPlane  = 6 // DiscoveryResponse.control_plane
	fieldDeltaControlPlane = 7 // DeltaDiscoveryResponse.control_plane
	fieldIdentifier        = 1 // envoy.config.core.v3.ControlPlane
)

// signature returns the field of a response that says who sent it.
func signature(identifier string, delta bool) []byte {
	field := protowire.Number(fieldSotwControlPlane)
	if delta {
		field = fieldDeltaControlPlane
	}
	by := protowire.AppendString(protowire.AppendTag(nil, fieldIdentifier, protowire.BytesType), identifier)
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), by)
}

// A Response is what goes out: a few bytes of its own, and bodies that it may
// share with other streams' responses. Protobuf fields may come in any order, so
// they are simply sent one after the other.
type Response struct {
	TypeURL string
	Nonce   string
	Version string
	Upserts []*Resource // not to be modified
	Removes []string    // not to be modified

	signature []byte // a field that says who sends it; nil: nobody says so
	bodies    []mem.BufferSlice
}

// encode returns the message's bytes.
func (r *Response) encode() mem.BufferSlice {
	head := make([]byte, 0, 128+len(r.signature))
	for _, f := range [...]struct {
		number protowire.Number
		value  string
	}{{fieldVersion, r.Version}, {fieldTypeURL, r.TypeURL}, {fieldNonce, r.Nonce}} {
		if f.value != "" {
			head = protowire.AppendString(protowire.AppendTag(head, f.number, protowire.BytesType), f.value)
		}
	}
	head = append(head, r.signature...)
	out := append(make(mem.BufferSlice, 0, 4), mem.SliceBuffer(head))
	for _, body := range r.bodies {
		out = append(out, body...)
	}
	return out
}

// codec sends Responses as they are, reads requests as message says, and does
// everything else as protobuf does.
type codec struct{ encoding.CodecV2 }

// Codec returns the codec that the gRPC server must be made with
// (grpc.ForceServerCodecV2).
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2(proto.Name)} }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if r, ok := v.(*Response); ok {
		return r.encode(), nil
	}
	out, err := c.CodecV2.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return out, nil
}

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*message)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	if err := m.decode(data); err != nil {
		return fmt.Errorf("decode a discovery request: %w", err)
	}
	return nil
}
