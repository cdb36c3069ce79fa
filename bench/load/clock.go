package load

import "golang.org/x/sys/unix"

// Now returns the nanoseconds of a clock that all processes of the machine share
// and that never steps back.
func Now() int64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail: the clock exists
	return t.Nano()
}
