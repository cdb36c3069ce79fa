package main

import (
	"context"
	"fmt"
	"time"
)

// An attempt is what is to be measured in one row. When a step of it fails, the
// steps after it are left out: the row says why, and other rows are measured all
// the same.
type attempt struct{ failed error }

// try does a step, unless an earlier one has failed.
func (a *attempt) try(step func() error) {
	if a.failed == nil {
		a.failed = step()
	}
}

// why notes what could not be measured and returns the reason, which is empty if
// nothing went wrong.
func (b *bench) why(a attempt, work, what string) string {
	if a.failed == nil {
		return ""
	}
	b.say("not measured: %s: %s: %v", work, what, a.failed)
	return b.out.Miss(work, what, a.failed)
}

// hung bounds one wait, for what hangs: the longest, the start of a server with
// 100,000 sites, takes some 15 s on two quiet cores. What is slow is waited for.
const hung = 10 * time.Minute

// bounded bounds a wait, and says what is waited for when it has taken too long.
func bounded(ctx context.Context, most time.Duration, what string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, most, fmt.Errorf("%s within %v", what, most.Round(time.Second)))
}
