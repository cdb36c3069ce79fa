package load

import (
	"encoding/binary"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/xds"
)

// Role is what a type of resource is to a proxy, whatever the layout.
type Role int

// The roles, in the order in which an Envoy asks for them.
const (
	Clusters Role = iota
	Endpoints
	Listeners
	Routes
	numRoles
)

// Wants is what all proxies of a fleet ask for, encoded once for all of them.
type Wants struct {
	sotw    bool
	urls    [numRoles]string
	first   [numRoles][]byte // the first request of each type, framed
	names   [numRoles][]byte // field 3 of a state-of-the-world request
	expects [numRoles]int    // resources until the proxy has everything
}

// NodeID is what every proxy says that it is: the first design's shared one.
const NodeID = "ssg-gateway"

// Configuration says what a server has.
type Configuration struct {
	Sotw     bool     // the protocol is state of the world
	Single   bool     // all routes are one resource
	Sites    int      // how many scopes there are otherwise
	Clusters []string // their names
}

// Subscribe returns what Envoys ask for.
func Subscribe(c Configuration) *Wants {
	w := &Wants{sotw: c.Sotw}
	w.urls = [numRoles]string{xds.Cluster.URL(), xds.Endpoint.URL(), xds.Listener.URL(), xds.ScopedRoute.URL()}
	w.expects = [numRoles]int{len(c.Clusters), len(c.Clusters), 1, c.Sites}
	var names [numRoles][]string
	names[Endpoints] = c.Clusters
	if c.Single {
		w.urls[Routes] = xds.Route.URL()
		w.expects[Routes] = 1
		names[Routes] = []string{"dynamic_routes"}
	}
	for role := range numRoles {
		var node *core.Node
		if role == Clusters { // the first of the stream
			node = &core.Node{Id: NodeID, Cluster: "ssg-gateway-cluster"}
		}
		var m proto.Message = &discovery.DeltaDiscoveryRequest{Node: node, TypeUrl: w.urls[role], ResourceNamesSubscribe: names[role]}
		if c.Sotw {
			m = &discovery.DiscoveryRequest{Node: node, TypeUrl: w.urls[role], ResourceNames: names[role]}
			for _, name := range names[role] {
				w.names[role] = protowire.AppendString(protowire.AppendTag(w.names[role], 3, protowire.BytesType), name)
			}
		}
		body, err := proto.Marshal(m)
		if err != nil {
			panic(err) // the names are ours
		}
		w.first[role] = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
	}
	return w
}

// ack returns the pieces of the answer to a response.
func (w *Wants) ack(role Role, m *message) [][]byte {
	b := make([]byte, 5, 5+128)
	url, nonce := protowire.Number(4), protowire.Number(5)
	if !w.sotw {
		url, nonce = 2, 6
	} else {
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), m.version)
	}
	b = protowire.AppendString(protowire.AppendTag(b, url, protowire.BytesType), w.urls[role])
	b = protowire.AppendBytes(protowire.AppendTag(b, nonce, protowire.BytesType), m.nonce)
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-5+len(w.names[role])))
	return [][]byte{b, w.names[role]}
}

// role returns what the type is to a proxy.
func (w *Wants) role(url []byte) (Role, bool) {
	for role := range numRoles {
		if w.urls[role] == string(url) {
			return role, true
		}
	}
	return 0, false
}

func (w *Wants) path() string {
	if w.sotw {
		return discovery.AggregatedDiscoveryService_StreamAggregatedResources_FullMethodName
	}
	return discovery.AggregatedDiscoveryService_DeltaAggregatedResources_FullMethodName
}
