package kube

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Outage logs once when something stops to work, and once when it works again,
// whatever the number of attempts between.
type Outage struct {
	Log        *zap.Logger
	Lost, Back string // the messages

	// Never is said instead of Lost until Known is set. If Known is nil, Lost is true
	// from the start.
	Never string
	Known *atomic.Bool

	down atomic.Bool
}

// Note takes how one attempt ended.
func (o *Outage) Note(ctx context.Context, err error) {
	switch {
	case err == nil:
		if o.down.CompareAndSwap(true, false) {
			o.Log.Info(o.Back)
		}
	case ctx.Err() == nil && o.down.CompareAndSwap(false, true):
		message := o.Lost
		if o.Known != nil && !o.Known.Load() {
			message = o.Never
		}
		o.Log.Warn(message, zap.Error(Remedied(err)))
	}
}

// Remedied adds where the remedy is for a right that is missing, which the API
// server names.
func Remedied(err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%w (manifests/control-plane/rbac.yaml grants what this program needs)", err)
	}
	return err
}
