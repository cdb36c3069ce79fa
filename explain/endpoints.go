package explain

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// Endpoint is one address behind a Service's port.
type Endpoint struct {
	Address string `json:"address"` // IP:PORT
	Zone    string `json:"zone,omitempty"`
	Ready   bool   `json:"ready"`
	Used    bool   `json:"used"` // it is in the cluster, as far as that is known

	Draining bool `json:"draining,omitempty"` // it is about to end and still answers
}

// endpoints are those of a cluster, and those that its Service has besides.
func endpoints(c config, cluster *Cluster, objects map[object.Ref]object.Object) []Endpoint {
	all, _ := c.members(cluster.Name)
	for _, e := range written(cluster, objects) {
		e.Used = e.Ready && cluster.Upstreams == string(translate.UpstreamsDNS) // They are what the name leads to.
		i := slices.IndexFunc(all, func(o Endpoint) bool { return o.Address == e.Address })
		if i < 0 {
			all = append(all, e)
		} else {
			all[i].Ready, all[i].Draining = e.Ready, e.Draining
		}
	}
	slices.SortFunc(all, func(x, y Endpoint) int {
		return cmp.Or(strings.Compare(x.Zone, y.Zone), strings.Compare(x.Address, y.Address))
	})
	return all
}

// written are the endpoints that EndpointSlices have for the port of a Service.
func written(cluster *Cluster, objects map[object.Ref]object.Object) (out []Endpoint) {
	service, ok := objects[object.Ref{Kind: object.KindService, Key: cluster.key}].(*object.Service)
	if !ok {
		return nil
	}
	i := slices.IndexFunc(service.Ports, func(p object.ServicePort) bool {
		return p.Port == cluster.Port && (p.Protocol == "" || p.Protocol == "TCP")
	})
	if i < 0 {
		return nil
	}
	for _, o := range objects {
		slice, ok := o.(*object.Slice)
		if !ok || slice.Namespace != cluster.key.Namespace || slice.Service != cluster.key.Name {
			continue
		}
		for _, port := range slice.Ports {
			if port.Name != service.Ports[i].Name || port.Port < 1 {
				continue
			}
			for _, e := range slice.Endpoints {
				out = append(out, Endpoint{Address: joinHostPort(e.Address, uint32(port.Port)), Zone: e.Zone, Ready: e.Ready, Draining: e.Draining})
			}
		}
	}
	return out
}

func joinHostPort(host string, port uint32) string {
	return net.JoinHostPort(host, strconv.FormatUint(uint64(port), 10))
}

// countUsed returns how many endpoints answer requests, and whether these are only
// some that are about to end.
func countUsed(endpoints []Endpoint) (n int, draining bool) {
	ready := 0
	for _, e := range endpoints {
		switch {
		case e.Used && e.Ready:
			ready++
		case e.Used && e.Draining:
			n++
		}
	}
	if ready > 0 {
		return ready, false
	}
	return n, n > 0
}
