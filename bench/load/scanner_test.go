package load

import (
	"encoding/binary"
	"testing"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// However a message is cut into pieces, the same is read from it.
func TestScanner(t *testing.T) {
	messages := []proto.Message{
		&discovery.DeltaDiscoveryResponse{
			TypeUrl: "a", Nonce: "1", SystemVersionInfo: "v",
			Resources: []*discovery.Resource{{Name: "x", Resource: &anypb.Any{Value: make([]byte, 3000)}}, {Name: "y"}, {}},
		},
		&discovery.DeltaDiscoveryResponse{},
		&discovery.DiscoveryResponse{TypeUrl: "b", Nonce: "22", VersionInfo: "w", Canary: true, Resources: []*anypb.Any{{TypeUrl: "b"}}},
	}
	stream := framed(t, messages...)
	type got struct {
		url, nonce, version string
		resources, size     int
	}
	want := []got{{"a", "1", "v", 3, 0}, {}, {"b", "22", "w", 1, 0}}
	for i, m := range messages {
		want[i].size = 5 + proto.Size(m)
	}
	for _, piece := range []int{1, 2, 3, 5, 7, 100, 2999, len(stream)} {
		n := 0
		s := scanner{done: func(m *message) {
			g := got{string(m.typeURL), string(m.nonce), string(m.version), m.resources, m.size}
			if n >= len(want) || g != want[n] {
				t.Errorf("in pieces of %d, message %d: %+v", piece, n, g)
			}
			n++
		}}
		for rest := stream; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
			s.write(rest[:min(piece, len(rest))])
		}
		if n != len(want) {
			t.Errorf("in pieces of %d: %d messages, want %d", piece, n, len(want))
		}
	}
}

func framed(t *testing.T, messages ...proto.Message) (stream []byte) {
	t.Helper()
	for _, m := range messages {
		body, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		stream = append(binary.BigEndian.AppendUint32(append(stream, 0), uint32(len(body))), body...)
	}
	return stream
}
