package source

import (
	"net/netip"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
)

// replicas are the endpoints of one Service, this program's own.
type replicas struct {
	service   object.Key
	endpoints *latest.Map[string, []netip.AddrPort] // by EndpointSlice
	log       *zap.Logger
	said      bool // what there is at first, if only that there are none
}

// Replicas is where the endpoints of a Service are handed over, by EndpointSlice,
// ready or not: first all, then those of each slice that changes. It must be
// called before Run.
func (s *Source) Replicas(service object.Key) *latest.Map[string, []netip.AddrPort] {
	s.replicas = &replicas{service: service, endpoints: latest.New[string, []netip.AddrPort](), log: s.log}
	return s.replicas.endpoints
}

// take picks the slices of the Service out of a batch of changes.
func (r *replicas) take(batch map[object.Ref]object.Object) {
	if r == nil {
		return
	}
	changed := make(map[string][]netip.AddrPort)
	for ref, now := range batch {
		if ref.Kind != object.KindSlice || ref.Key.Namespace != r.service.Namespace {
			continue
		}
		changed[ref.Key.Name] = nil // one that is gone, or is of another Service (now)
		if slice, ok := now.(*object.Slice); ok && slice.Service == r.service.Name {
			changed[ref.Key.Name] = r.addresses(slice)
		}
	}
	if len(changed) > 0 || !r.said {
		r.said = true
		r.endpoints.PutAll(changed)
	}
}

// replicaPort is the Service's port for proxies, and for replicas; it may have
// another name if it is the only one.
const replicaPort = "grpc-xds"

func (r *replicas) addresses(slice *object.Slice) (addresses []netip.AddrPort) {
	for _, port := range slice.Ports {
		if port.Name != replicaPort && len(slice.Ports) > 1 {
			continue
		}
		for _, endpoint := range slice.Endpoints {
			address, err := netip.ParseAddr(endpoint.Address)
			if err != nil || port.Port < 1 || port.Port > 65535 { // The API server lets neither through.
				r.log.Warn("a replica cannot be asked", zap.Stringer("endpointSlice", slice.Key), zap.String("address", endpoint.Address), zap.Int32("port", port.Port))
				continue
			}
			addresses = append(addresses, netip.AddrPortFrom(address, uint16(port.Port)))
		}
	}
	return addresses
}
