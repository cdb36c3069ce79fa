package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"

	"my-company.com/staticsite-operator/control"
	"my-company.com/staticsite-operator/files"
	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/kube/lease"
	"my-company.com/staticsite-operator/kube/source"
	"my-company.com/staticsite-operator/kube/statuswriter"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/replicas"
	"my-company.com/staticsite-operator/xds"
)

// serveFlags are the flags of the server.
type serveFlags struct {
	translateFlags
	logFlags
	listenFlags
	healthAddress, metricsAddress string
	sites, statusFile             string
	kubeconfig, leaderNamespace   string
	leaderElect                   bool
	replicasService               string
}

func serveCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), &flags) },
	}
	f := cmd.Flags()
	flags.translateFlags.add(f)
	flags.logFlags.add(f)
	flags.listenFlags.add(f)
	f.StringVar(&flags.healthAddress, "health-probe-bind-address", ":8081", "where /healthz and /readyz are served; 0: nowhere")
	f.StringVar(&flags.metricsAddress, "metrics-bind-address", "0", "where /metrics is served; 0: nowhere")
	f.StringVar(&flags.sites, "sites", "", "serve the StaticSites, Services, EndpointSlices, SiteDomainPolicies and Namespaces in this folder instead of a cluster's")
	f.StringVar(&flags.statusFile, "status-file", "", "with --sites: keep all sites' statuses in this file, as JSON")
	f.StringVar(&flags.kubeconfig, "kubeconfig", "", "how to reach the cluster; empty: as kubectl would, or as a pod does")
	f.BoolVar(&flags.leaderElect, "leader-elect", false, "let one of several replicas write statuses, by a Lease; all of them serve proxies")
	f.StringVar(&flags.leaderNamespace, "leader-election-namespace", "", "the Lease's namespace; empty: this pod's own")
	f.StringVar(&flags.replicasService, "replicas-service", "", "with --leader-elect: the Service in the Lease's namespace whose endpoints are all replicas; "+
		"who writes statuses asks the others what their proxies hold. Empty: it knows of its own proxies only")
	return cmd
}

// origin is where objects come from: a cluster or a folder.
type origin interface {
	Changes() *latest.Map[object.Ref, object.Object]
	Run(ctx context.Context) error
}

// writer is where statuses go.
type writer interface {
	Run(ctx context.Context) error
	Metrics() []prometheus.Collector
}

// serve puts the rooms together and runs them until ctx ends or one fails.
func serve(ctx context.Context, flags *serveFlags) error {
	opts, err := flags.options()
	if err != nil {
		return err
	}
	log, err := flags.logger()
	if err != nil {
		return err
	}
	defer log.Sync() //nolint:errcheck // a console cannot be synced

	objects, writerOf, err := open(flags, log)
	if err != nil {
		return err
	}
	store := xds.NewStore()
	server := xds.NewServer(store, xds.DefaultAckTimeout, log.Named("xds"))
	server.Identify(identifier())
	loop := control.NewLoop(opts, objects.Changes(), store, server.Observations(), log.Named("control"))
	self := replica{loop: loop, id: replicas.ID(rand.Uint64())}
	var services []func(grpc.ServiceRegistrar)
	if flags.replicasService != "" {
		loop.Follow(version)
		services = append(services, replicas.NewServer(loop, self.id, version).Register)
	}
	if self.listeners, err = flags.listen(server, services, log); err != nil {
		return err
	}
	statuses, err := writerOf(self)
	if err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(statuses.Metrics()...)
	metrics.MustRegister(loop.Metrics()...)
	metrics.MustRegister(server.Metrics(), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	log.Info("starting", zap.String("version", version), zap.String("routes", flags.routes), zap.String("upstreams", flags.upstreams))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return objects.Run(ctx) })
	group.Go(func() error { loop.Run(ctx); return nil })
	group.Go(func() error { return statuses.Run(ctx) })
	group.Go(func() error { return server.Serve(ctx, self.ports...) })
	if locks := self.store; locks != nil {
		metrics.MustRegister(locks.Metrics()...)
		group.Go(func() error { locks.Run(ctx); return nil })
	}
	group.Go(func() error { return serveHealth(ctx, flags.healthAddress, server.Listening) })
	group.Go(func() error { return serveMetrics(ctx, flags.metricsAddress, metrics) })
	return group.Wait()
}

// identifier names this replica and its build for people who look into a proxy. In a
// cluster the host's name is the pod's.
func identifier() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s staticsite-operator/%s", host, version)
}

// replica is this one of the program's replicas.
type replica struct {
	*listeners
	loop *control.Loop
	id   replicas.ID
}

// open returns the source that the flags ask for, and how to make what writes
// its sites' statuses.
func open(flags *serveFlags, log *zap.Logger) (origin, func(replica) (writer, error), error) {
	if flags.replicasService != "" && !flags.leaderElect {
		return nil, nil, fmt.Errorf("--replicas-service goes with --leader-elect: without it there is one replica")
	}
	if flags.leaderNamespace != "" && !flags.leaderElect {
		return nil, nil, fmt.Errorf("--leader-election-namespace goes with --leader-elect: without it there is no Lease")
	}
	if flags.sites != "" {
		return openFolder(flags, log)
	}
	return openCluster(flags, log)
}

func openFolder(flags *serveFlags, log *zap.Logger) (origin, func(replica) (writer, error), error) {
	if flags.leaderElect || flags.kubeconfig != "" {
		return nil, nil, fmt.Errorf("--sites serves a folder without a cluster: leave out --leader-elect and --kubeconfig")
	}
	folder := files.NewSource(flags.sites, log.Named("files"))
	return folder, func(self replica) (writer, error) {
		return files.NewStatus(folder, self.loop.Statuses(), flags.statusFile, log.Named("sites"))
	}, nil
}

func openCluster(flags *serveFlags, log *zap.Logger) (origin, func(replica) (writer, error), error) {
	if flags.statusFile != "" {
		return nil, nil, fmt.Errorf("--status-file goes with --sites: in a cluster, statuses are in the objects")
	}
	kube.RedirectKlog(log)
	config, err := kube.Connect(flags.kubeconfig)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (or serve a folder with --sites)", err)
	}
	kube.NoteOutages(config, log.Named("kube"))
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	discovery, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	cluster := source.New(client, discovery.RESTClient(), log.Named("kube"))
	return cluster, func(self replica) (writer, error) {
		statuses := statuswriter.New(client, cluster.Statuses(), self.loop.Statuses(), log.Named("status"))
		if !flags.leaderElect {
			return runner{statuses, func(ctx context.Context) error { return statuses.Run(ctx, lease.Always(ctx)) }}, nil
		}
		namespace := flags.leaderNamespace
		if namespace == "" {
			if namespace, err = lease.OwnNamespace(); err != nil {
				return nil, fmt.Errorf("--leader-election-namespace: %w", err)
			}
		}
		election, err := lease.New(config, namespace, cluster.Restored, log.Named("lease"))
		if err != nil {
			return nil, err
		}
		if flags.replicasService == "" {
			return runner{statuses, func(ctx context.Context) error { return lead(ctx, election, statuses, nil) }}, nil
		}
		endpoints := cluster.Replicas(object.Key{Namespace: namespace, Name: flags.replicasService}, self.replicaPort)
		others := replicas.NewClient(self.loop, self.id, endpoints, self.replicaCreds, log.Named("replicas"))
		return runner{statuses, func(ctx context.Context) error { return lead(ctx, election, statuses, others) }}, nil
	}, nil
}

// lead writes statuses whenever this replica has the lease, of its own proxies and
// those of the others, if there are any to ask.
func lead(ctx context.Context, election *lease.Lease, statuses *statuswriter.Writer, others *replicas.Client) error {
	terms, told := make(chan lease.Term), make(chan (<-chan struct{}))
	group, ctx := errgroup.WithContext(ctx)
	if others == nil {
		group.Go(func() error { return election.Run(ctx, terms) })
	} else {
		group.Go(func() error { return election.Run(ctx, terms, told) })
		group.Go(func() error { others.Run(ctx, told); return nil })
	}
	group.Go(func() error { return statuses.Run(ctx, terms) })
	return group.Wait()
}

// runner is a writer that is told its terms by run.
type runner struct {
	*statuswriter.Writer
	run func(ctx context.Context) error
}

func (r runner) Run(ctx context.Context) error { return r.run(ctx) }
