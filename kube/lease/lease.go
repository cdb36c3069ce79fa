package lease

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/kube"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"

	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Name is that of the Lease that the replicas compete for.
const Name = "staticsite-operator"

// The times of a lease. A leader stops after renewDeadline without renewal,
// well before anybody else may follow it after leaseDuration.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

// Lease elects one of the replicas to write statuses, and nothing else: what is
// served does not depend on it.
type Lease struct {
	leases    coordinationv1.LeasesGetter
	namespace string
	identity  string
	log       *zap.Logger
	outage    kube.Outage // of the requests for it
	told      []chan<- (<-chan struct{})
}

// New returns a lease in the namespace. It needs the rights to get, create
// and update Leases there. Restored is called when the Lease shows
// that the cluster was restored from a backup (see source.Source).
func New(config *rest.Config, namespace string, restored func(why string, fields ...zap.Field), log *zap.Logger) (*Lease, error) {
	config = rest.CopyConfig(config)
	config.Timeout = renewDeadline / 2 // so that a hung request leaves time for another
	client, err := coordinationv1.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name this replica: %w", err)
	}
	return &Lease{
		leases:    &leaseVersions{LeaseInterface: client.Leases(namespace), restored: restored},
		namespace: namespace,
		identity:  host + "_" + string(uuid.NewUUID()),
		log:       log,
		outage:    kube.Outage{Log: log, Lost: "cannot use the lease, so nobody may be writing statuses", Back: "lease can be used again"},
	}, nil
}

// OwnNamespace returns the namespace that this program runs in, from the
// environment variable POD_NAMESPACE or the mounted service account.
func OwnNamespace() (string, error) {
	if namespace := os.Getenv("POD_NAMESPACE"); namespace != "" {
		return namespace, nil
	}
	mounted, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return "", errors.New("own namespace not known: set POD_NAMESPACE, or the flag for it")
	}
	return strings.TrimSpace(string(mounted)), nil
}

// Run stands for election again and again until ctx ends, and sends a term for
// each time it is elected, to the writer of statuses and to whoever else wants to
// know of it. Losing the lease ends the term and nothing else. When ctx ends, the
// lease is let go of, once the term's last write has ended.
func (l *Lease) Run(ctx context.Context, terms chan<- Term, told ...chan<- (<-chan struct{})) error {
	l.told = told
	for ctx.Err() == nil {
		if err := l.stand(ctx, terms); err != nil {
			return err
		}
	}
	return nil
}

// stand is one candidature, until the lease was won and lost or ctx ends.
func (l *Lease) stand(ctx context.Context, terms chan<- Term) error {
	// The election outlives ctx: it holds the lease until the term is over.
	electing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()

	lock := &fence{outage: &l.outage, Interface: &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: l.namespace, Name: Name},
		Client:     l.leases,
		LockConfig: resourcelock.ResourceLockConfig{Identity: l.identity},
	}}
	var led atomic.Bool
	finished := make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   leaseDuration,
		RenewDeadline:   renewDeadline,
		RetryPeriod:     retryPeriod,
		ReleaseOnCancel: true,
		Name:            Name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				defer close(finished)
				led.Store(true)
				l.lead(ctx, leading, lock, terms)
				stop()
			},
			OnStoppedLeading: func() {},
			OnNewLeader: func(identity string) {
				if identity != l.identity {
					l.log.Info("another replica writes statuses", zap.String("leader", identity))
				}
			},
		},
	})
	if err != nil {
		return fmt.Errorf("elect a leader: %w", err)
	}
	defer context.AfterFunc(ctx, func() {
		if !led.Load() {
			stop()
		}
	})()
	elector.Run(electing)
	if !lock.expiry().IsZero() { // it was won, so OnStartedLeading was or will be called
		<-finished
		lock.giveUp(ctx)
	}
	return nil
}

// lead is one term, until leading or ctx ends and nothing is under way.
func (l *Lease) lead(ctx, leading context.Context, lock *fence, terms chan<- Term) {
	term, end := context.WithCancel(leading)
	defer end()
	defer context.AfterFunc(ctx, end)()
	for _, told := range l.told {
		select {
		case told <- term.Done():
		case <-term.Done():
		}
	}
	over := make(chan struct{})
	select {
	case terms <- Term{Context: term, Expiry: lock.expiry, Over: func() { close(over) }}:
		l.log.Info("leader: this replica writes statuses")
		<-over
		l.log.Info("leader no more: this replica writes no statuses")
	case <-term.Done():
	}
}
