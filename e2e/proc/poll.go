package proc

import (
	"context"
	"fmt"
	"time"
)

// pollInterval is short because what is polled is on this machine.
const pollInterval = 20 * time.Millisecond

// Poll asks condition until it returns nil. When ctx ends first, the error
// carries what condition last said.
func Poll(ctx context.Context, condition func(context.Context) error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	var last error
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err // not the error that ctx's own end caused
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", last, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}
