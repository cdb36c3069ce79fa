package translate

import (
	"slices"

	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/spec"
)

// use counts one more scope that leads to a port of a Service.
func (b *batch) use(to spec.Backend) {
	be := b.backend(to.Service)
	c := be.cluster(to.Port)
	if c == nil {
		c = &cluster{backend: be, port: to.Port, name: to.Cluster()}
		be.clusters = append(be.clusters, c)
	}
	c.users++
	b.clusters[c] = struct{}{}
}

// disuse is the opposite of use.
func (b *batch) disuse(to spec.Backend) {
	c := b.backend(to.Service).cluster(to.Port)
	c.users--
	b.clusters[c] = struct{}{}
}

// checkEndpoints looks again at the endpoints of every Service whose slices
// changed, and marks the sites whose verdict depends on what it found.
func (b *batch) checkEndpoints() {
	for be := range b.endpoints {
		for _, c := range be.clusters {
			b.clusters[c] = struct{}{}
		}
		if b.w.opts.Upstreams == envoy.UpstreamsDNS {
			continue // The proxies find endpoints themselves.
		}
		if be.Look(b.w.opts.AllowedEndpoints) {
			for _, s := range be.sites {
				b.sites[s] = struct{}{}
			}
		}
	}
}

// buildClusters hands out every marked cluster and its endpoints, or takes them
// back.
func (b *batch) buildClusters() {
	for c := range b.clusters {
		if b.w.opts.Upstreams == envoy.UpstreamsDNS {
			b.setCluster(c, c.users > 0 && c.backend.resolve(c.port, envoy.UpstreamsDNS).OK)
		} else {
			b.setCluster(c, c.users > 0)
			b.setAssignment(c)
		}
		if c.users == 0 {
			c.backend.clusters = without(c.backend.clusters, c)
			b.backends[c.backend] = struct{}{}
		}
	}
}

func (b *batch) setCluster(c *cluster, want bool) {
	shape := c.backend.Shape(c.port, b.w.opts.Upstreams)
	if c.sent == want && (!want || shape == c.shape) {
		return
	}
	if c.sent && want { // The sites have to wait until proxies have it anew.
		for _, s := range c.backend.sites {
			for to := range s.spec.Backends() {
				if to.Service == c.backend.Key && to.Port == c.port {
					b.touched[s] = struct{}{}
				}
			}
		}
	}
	c.sent, c.shape = want, shape
	switch {
	case !want:
		b.remove(envoy.ClusterType, c.name)
	case b.w.opts.Upstreams == envoy.UpstreamsDNS:
		b.upsert(Resource{Type: envoy.ClusterType, Name: c.name, Message: envoy.DNSCluster(c.backend.Key, c.name, shape)})
	default:
		b.upsert(Resource{Type: envoy.ClusterType, Name: c.name, Message: envoy.Cluster(c.name, shape)})
	}
}

func (b *batch) setAssignment(c *cluster) {
	if !c.sent {
		if c.assigned {
			b.remove(envoy.AssignmentType, c.name)
		}
		c.assigned, c.members, c.crowded = false, nil, false
		return
	}
	members, crowded := c.backend.Members(c.port, b.w.opts.AllowedEndpoints)
	if crowded != c.crowded || (len(members) == 0) != (len(c.members) == 0) {
		c.crowded = crowded
		for _, s := range c.backend.sites {
			b.sites[s] = struct{}{}
		}
	}
	if c.assigned && slices.Equal(members, c.members) {
		return
	}
	c.assigned, c.members = true, members
	b.upsert(Resource{Type: envoy.AssignmentType, Name: c.name, Message: envoy.Assignment(c.name, members)})
}
