package control

import (
	"context"
	"errors"
	"maps"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// Loop is the one goroutine between the sources and the xDS server.
type Loop struct {
	objects  *latest.Map[object.Ref, object.Object]
	streams  *latest.Map[uint64, xds.StreamState]
	statuses *latest.Map[object.Key, sitestatus.Status]

	world *translate.World
	store *xds.Store
	join  *join
	log   *zap.Logger

	kept map[string]bool // the clusters that stand-ins lead to, as told to translation

	single   bool // the layout: all routes are one resource
	partSize int

	calls chan func()   // what others want done by the loop's goroutine
	ended chan struct{} // closed when Run has returned
}

// NewLoop returns a loop that translates objects into store, and what streams
// acknowledge into Statuses.
func NewLoop(opts translate.Options, objects *latest.Map[object.Ref, object.Object],
	store *xds.Store, streams *latest.Map[uint64, xds.StreamState], log *zap.Logger) *Loop {
	if opts.Upstreams == translate.UpstreamsDNS {
		store.KeepNothing() // A withdrawn cluster's name may stand for anything by now.
	}
	statuses := latest.New[object.Key, sitestatus.Status]()
	routes := xds.ScopedRoute
	if opts.Routes == translate.RoutesSingle {
		routes = xds.Route
	}
	return &Loop{
		objects: objects, streams: streams, statuses: statuses,
		world: translate.NewWorld(opts), store: store, join: newJoin(statuses, routes, log), log: log,
		single: opts.Routes == translate.RoutesSingle, partSize: partSize,
		calls: make(chan func()), ended: make(chan struct{}),
	}
}

// Statuses are the statuses of the sites, as they change.
func (l *Loop) Statuses() *latest.Map[object.Key, sitestatus.Status] { return l.statuses }

// Run works until ctx ends. There is no debounce: the first change of an idle
// system is published at once, and what arrives meanwhile is the next batch
// (rule 78).
func (l *Loop) Run(ctx context.Context) {
	defer close(l.ended)
	progress := time.NewTicker(progressTick)
	defer progress.Stop()
	for {
		select {
		case <-l.objects.Ready():
			l.apply(l.objects.TakeSince())
		case <-l.streams.Ready():
			l.observe(l.streams.Take(), time.Now())
		case do := <-l.calls:
			do()
		case now := <-progress.C:
			l.join.progress(now)
		case <-ctx.Done():
			return
		}
	}
}

// progressTick is how often whoever is not programmed is told how far it is. A
// change that was acknowledged by nobody is said to be under way after one to two of
// them.
const progressTick = time.Second / 2

// apply publishes changes, the oldest of which arrived then. A last good form may end
// with them.
func (l *Loop) apply(changes map[object.Ref]object.Object, arrived time.Time) {
	l.publish(changes, arrived)
	l.keep(arrived)
}

// observe takes what streams acknowledged, refused, or that they ended.
func (l *Loop) observe(states map[uint64]xds.StreamState, now time.Time) {
	l.join.observe(states, now)
	l.keep(now)
}

// keep has translation serve the clusters that stand-ins lead to, as long as there are
// such stand-ins.
func (l *Loop) keep(now time.Time) {
	needed := l.store.Needed()
	if maps.Equal(needed, l.kept) {
		return
	}
	changes := make(map[object.Ref]object.Object)
	for name := range l.kept {
		changes[(&translate.Kept{Cluster: name}).Ref()] = nil
	}
	for name := range needed {
		kept := &translate.Kept{Cluster: name}
		changes[kept.Ref()] = kept
	}
	l.kept = needed
	l.publish(changes, now)
}

// publish translates changes, the oldest of which arrived then, and publishes them.
func (l *Loop) publish(changes map[object.Ref]object.Object, arrived time.Time) {
	start := time.Now()
	verdicts, problems, changed, invalid := l.translate(changes)
	for _, p := range problems {
		l.log.Warn("domain policy refused, its last valid form stays in force",
			zap.Stringer("policy", p.Policy), zap.String("field", p.Field), zap.String("error", p.Problem))
	}
	snap := l.store.Publish(changed)
	l.join.judge(verdicts, changed, invalid, snap, arrived)
	l.log.Debug("published", zap.Int("objects", len(changes)), zap.Int("resources", len(changed)),
		zap.Int("verdicts", len(verdicts)), zap.Uint64("snapshot", snap.Seq()), zap.Duration("took", time.Since(start)))
}

// call has the loop's goroutine do something. It fails when ctx or the loop ends
// first.
func (l *Loop) call(ctx context.Context, do func()) error {
	select {
	case l.calls <- do:
		return nil
	case <-l.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errEnded = errors.New("this replica is shutting down")

// Follow tells the loop, before it runs, that there may be other replicas: it does
// not speak for the sites until it is told to lead. Build is the version of this
// program, for people.
func (l *Loop) Follow(build string) {
	l.join.fleet.Name(build)
	l.join.follow()
}

// Lead has this replica, which follows, speak for all: these, by name, itself among
// them. It is called again when they are others.
func (l *Loop) Lead(ctx context.Context, replicas []string) error {
	return l.call(ctx, func() { l.join.lead(replicas, time.Now()) })
}

// Resign ends what Lead began.
func (l *Loop) Resign(ctx context.Context) error { return l.call(ctx, l.join.follow) }

// Hear takes what another replica says, or that it says nothing.
func (l *Loop) Hear(ctx context.Context, report holdings.Report) error {
	return l.call(ctx, func() { l.join.hear(report, time.Now()) })
}
