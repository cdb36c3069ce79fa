package server

import (
	"context"
	"strconv"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	xdsserver "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/bench/sites"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// snapshotCache is the design that most control planes have: all resources of a
// node in one snapshot, all routes in one RouteConfiguration, a new snapshot for
// each change. All proxies share one node, which is the best case: a snapshot
// for each would cost as many times more.
//
// As most use it (Snapshot), a change translates all objects anew and gives the
// snapshot one new version. Tuned translates only the change, keeps every message
// that did not change, and gives each type a version of its own.
type snapshotCache struct {
	spec    Spec
	set     sites.Set
	cache   cache.SnapshotCache
	server  xdsserver.Server
	objects map[object.Ref]object.Object // Snapshot: all of them

	world     *translate.World                     // Tuned
	resources map[string]map[string]types.Resource // by type URL and name
	versions  map[string]int                       // by type URL
	version   int
}

// oneNode puts all proxies into one group, as the first design did.
type oneNode struct{}

func (oneNode) ID(*core.Node) string { return load.NodeID }

func newSnapshotCache(ctx context.Context, spec Spec) (Target, error) {
	s := &snapshotCache{
		spec: spec, set: sites.Of(spec.Sites), cache: cache.NewSnapshotCache(true, oneNode{}, nil),
		resources: make(map[string]map[string]types.Resource), versions: make(map[string]int),
		world: translate.NewWorld(spec.options()),
	}
	s.server = xdsserver.NewServer(ctx, s.cache, nil)
	objects := s.set.Objects()
	if spec.Kind == Snapshot {
		s.objects = objects
	}
	s.take(s.world.Apply(objects))
	return s, s.store()
}

// take replaces what changed.
func (s *snapshotCache) take(delta translate.Delta) {
	for _, r := range delta.Resources {
		if s.resources[r.Type] == nil {
			s.resources[r.Type] = make(map[string]types.Resource)
		}
		s.versions[r.Type] = s.version
		if r.Message == nil {
			delete(s.resources[r.Type], r.Name)
		} else {
			s.resources[r.Type][r.Name] = r.Message
		}
	}
}

// store hands a new snapshot to the cache.
func (s *snapshotCache) store() error {
	s.version++
	snapshot := new(cache.Snapshot)
	for url, resources := range s.resources {
		items := make([]types.Resource, 0, len(resources))
		for _, r := range resources {
			items = append(items, r)
		}
		version := s.version
		if s.spec.Kind == Tuned {
			version = s.versions[url]
		}
		snapshot.Resources[cache.GetResponseType(url)] = cache.NewResources(strconv.Itoa(version), items)
	}
	return s.cache.SetSnapshot(context.Background(), load.NodeID, snapshot)
}

func (s *snapshotCache) Change(c Change, k int) error {
	changed := changedBy(s.set, c, k)
	if s.spec.Kind == Tuned {
		s.take(s.world.Apply(map[object.Ref]object.Object{changed.Ref(): changed}))
		return s.store()
	}
	s.objects[changed.Ref()] = changed
	clear(s.resources)
	s.take(translate.NewWorld(s.spec.options()).Apply(s.objects))
	return s.store()
}

func (s *snapshotCache) Serve(ctx context.Context, address string) error {
	return serve(ctx, address, func(r grpc.ServiceRegistrar) { discovery.RegisterAggregatedDiscoveryServiceServer(r, s.server) })
}
