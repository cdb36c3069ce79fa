package lease

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"my-company.com/staticsite-operator/kube"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// fence is a lock that knows until when it is certainly held.
type fence struct {
	resourcelock.Interface
	outage  *kube.Outage
	renewed atomic.Pointer[time.Time] // when the last successful renewal was begun; nil if there was none
	holder  string                    // as the last answer said; the elector's own, which makes one call at a time
}

// expiry returns until when nobody else can hold the lock, with a margin for
// clocks that run differently; the zero time if it was never held.
func (f *fence) expiry() time.Time {
	renewed := f.renewed.Load()
	if renewed == nil {
		return time.Time{}
	}
	return renewed.Add(renewDeadline)
}

func (f *fence) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := f.Interface.Get(ctx)
	if err == nil {
		f.holder = record.HolderIdentity
	}
	f.note(ctx, err)
	return record, raw, err
}

func (f *fence) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	begun := time.Now()
	return f.held(ctx, record, begun, f.Interface.Create(ctx, record))
}

// Update refuses to give up a lock that somebody else holds by now: client-go
// does not look (leaderelection.release goes by what it saw last), and would
// drive the new leader out of office.
func (f *fence) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity == "" && f.holder != f.Identity() {
		return errors.New("the lock is somebody else's by now")
	}
	begun := time.Now()
	return f.held(ctx, record, begun, f.Interface.Update(ctx, record))
}

// giveUp lets go of the lock if it is still this replica's. The elector has tried
// to, but a renewal that was under way when it was told to end may have reached
// the API server in between; its successor would wait for the lease to expire.
func (f *fence) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewDeadline/2)
	defer cancel()
	for range releases {
		record, _, err := f.Get(ctx)
		if err != nil || record.HolderIdentity != f.Identity() {
			return
		}
		record.HolderIdentity, record.LeaseDurationSeconds = "", 1
		if f.Update(ctx, *record) == nil {
			return
		}
	}
}

// releases is how often giveUp tries: each conflict is one late renewal.
const releases = 3

// held notes that the lock was taken or renewed, if it was.
func (f *fence) held(ctx context.Context, record resourcelock.LeaderElectionRecord, begun time.Time, err error) error {
	if err == nil && record.HolderIdentity == f.Identity() {
		f.holder = record.HolderIdentity
		f.renewed.Store(&begun)
	}
	f.note(ctx, err)
	return err
}

// note reports requests that fail, but not those that only come too late or
// before there is a lease.
func (f *fence) note(ctx context.Context, err error) {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		err = nil
	}
	f.outage.Note(ctx, err)
}
