package lease

import (
	"context"

	"go.uber.org/zap"
	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// leaseVersions is a client for the Leases of one namespace that looks whether the
// versions of the one Lease go back. A Lease is read in etcd itself, and often: so
// this shows soonest that etcd was restored from a backup, and even where an API
// server that was running meanwhile lists and watches what was before, for everybody.
// Only its restart mends that.
type leaseVersions struct {
	coordinationv1.LeaseInterface
	restored func(why string, fields ...zap.Field)
	newest   string // of the answers so far; the elector's, which makes one request at a time
}

// Leases is how the elector asks for the client.
func (v *leaseVersions) Leases(string) coordinationv1.LeaseInterface { return v }

func (v *leaseVersions) Get(ctx context.Context, name string, options metav1.GetOptions) (*coordination.Lease, error) {
	lease, err := v.LeaseInterface.Get(ctx, name, options)
	v.note(lease, err)
	return lease, err
}

func (v *leaseVersions) Create(ctx context.Context, lease *coordination.Lease, options metav1.CreateOptions) (*coordination.Lease, error) {
	lease, err := v.LeaseInterface.Create(ctx, lease, options)
	v.note(lease, err)
	return lease, err
}

func (v *leaseVersions) Update(ctx context.Context, lease *coordination.Lease, options metav1.UpdateOptions) (*coordination.Lease, error) {
	lease, err := v.LeaseInterface.Update(ctx, lease, options)
	v.note(lease, err)
	return lease, err
}

func (v *leaseVersions) note(lease *coordination.Lease, err error) {
	if err != nil {
		return
	}
	if order, err := resourceversion.CompareResourceVersion(lease.ResourceVersion, v.newest); err == nil && order < 0 {
		v.restored("the Lease's versions have gone back, as they do when etcd is restored from a backup: listing everything anew; restart each API server that was running meanwhile, for it goes on to show what was before",
			zap.String("known", v.newest), zap.String("newest", lease.ResourceVersion))
	}
	v.newest = lease.ResourceVersion
}
