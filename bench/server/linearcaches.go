package server

import (
	"context"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	xdsserver "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"

	"my-company.com/staticsite-operator/bench/sites"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// linearCaches is go-control-plane's incremental design: a cache of each type,
// told which resources changed. It is fed by our translation, one resource at a
// time.
type linearCaches struct {
	set    sites.Set
	world  *translate.World
	caches map[string]*cache.LinearCache
	server xdsserver.Server
}

func newLinearCaches(ctx context.Context, spec Spec) (Target, error) {
	l := &linearCaches{set: sites.Of(spec.Sites), world: translate.NewWorld(spec.options()), caches: make(map[string]*cache.LinearCache)}
	first := make(map[string]map[string]types.Resource)
	for _, r := range l.world.Apply(l.set.Objects()).Resources {
		if first[r.Type] == nil {
			first[r.Type] = make(map[string]types.Resource)
		}
		first[r.Type][r.Name] = r.Message
	}
	mux := &cache.MuxCache{
		Classify:      func(r *cache.Request) string { return r.GetTypeUrl() },
		ClassifyDelta: func(r *cache.DeltaRequest) string { return r.GetTypeUrl() },
		Caches:        make(map[string]cache.Cache),
	}
	for _, t := range []xds.Type{xds.Cluster, xds.Endpoint, xds.Listener, xds.ScopedRoute, xds.Route} {
		c := cache.NewLinearCache(t.URL(), cache.WithInitialResources(first[t.URL()]))
		l.caches[t.URL()], mux.Caches[t.URL()] = c, c
	}
	l.server = xdsserver.NewServer(ctx, mux, nil)
	return l, nil
}

func (l *linearCaches) Change(c Change, k int) error {
	changed := changedBy(l.set, c, k)
	for _, r := range l.world.Apply(map[object.Ref]object.Object{changed.Ref(): changed}).Resources {
		var err error
		if r.Message == nil {
			err = l.caches[r.Type].DeleteResource(r.Name)
		} else {
			err = l.caches[r.Type].UpdateResource(r.Name, r.Message)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *linearCaches) Serve(ctx context.Context, address string) error {
	return serve(ctx, address, func(r grpc.ServiceRegistrar) { discovery.RegisterAggregatedDiscoveryServiceServer(r, l.server) })
}
