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
	port      string                                // its name
	endpoints *latest.Map[string, []netip.AddrPort] // by EndpointSlice
	log       *zap.Logger
	said      bool // what there is at first, if only that there are none
}

// Replicas is where the endpoints of a Service are handed over, by EndpointSlice,
// ready or not: first all, then those of each slice that changes. Port is the name of
// the one where replicas are asked. It must be called before Run.
func (s *Source) Replicas(service object.Key, port string) *latest.Map[string, []netip.AddrPort] {
	s.replicas = &replicas{service: service, port: port, endpoints: latest.New[string, []netip.AddrPort](), log: s.log}
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

// addresses are where a slice's replicas are to be asked. If none of its ports has
// the name, they are asked at another all the same: one that is not there is no
// replica, and these are there. Either that port is the right one, or they cannot be
// reached, and that is known.
func (r *replicas) addresses(slice *object.Slice) (addresses []netip.AddrPort) {
	if len(slice.Ports) == 0 {
		return nil
	}
	port := slice.Ports[0]
	for _, p := range slice.Ports {
		if p.Name == r.port {
			port = p
		}
	}
	for _, endpoint := range slice.Endpoints {
		address, err := netip.ParseAddr(endpoint.Address)
		if err != nil || port.Port < 1 || port.Port > 65535 { // The API server lets neither through.
			r.log.Warn("a replica cannot be asked", zap.Stringer("endpointSlice", slice.Key), zap.String("address", endpoint.Address), zap.Int32("port", port.Port))
			continue
		}
		addresses = append(addresses, netip.AddrPortFrom(address, uint16(port.Port)))
	}
	return addresses
}
