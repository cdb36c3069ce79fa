package server

import (
	"context"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/bench/sites"
	"my-company.com/staticsite-operator/control"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/xds"
)

// ours is the program without its sources: changes are put where a source puts
// them.
type ours struct {
	set     sites.Set
	objects *latest.Map[object.Ref, object.Object]
	server  *xds.Server
}

func newOurs(ctx context.Context, spec Spec) (Target, error) {
	o := &ours{set: sites.Of(spec.Sites), objects: latest.New[object.Ref, object.Object]()}
	store := xds.NewStore()
	o.server = xds.NewServer(store, xds.DefaultAckTimeout, zap.NewNop())
	loop := control.NewLoop(spec.options(), o.objects, store, o.server.Observations(), zap.NewNop())
	o.objects.PutAll(o.set.Objects())
	go loop.Run(ctx)
	go func() { // whoever writes statuses takes them away
		for {
			select {
			case <-loop.Statuses().Ready():
				loop.Statuses().Take()
			case <-ctx.Done():
				return
			}
		}
	}()
	select {
	case <-store.Published():
	case <-ctx.Done():
	}
	return o, context.Cause(ctx)
}

func (o *ours) Serve(ctx context.Context, address string) error {
	return o.server.Serve(ctx, o.server.Open(address))
}

func (o *ours) Change(c Change, k int) error {
	changed := changedBy(o.set, c, k)
	o.objects.Put(changed.Ref(), changed)
	return nil
}
