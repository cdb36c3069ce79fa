package traffic

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Report accounts for every request: Sent = the sum of Status + Errors.
type Report struct {
	Sent     int
	Status   map[int]int // answers by status
	Errors   int         // resets, timeouts, refused connections, cut bodies
	Unsent   int         // due, but too many were waiting for an answer
	Conns    int         // connections opened
	Failures []Failure   // the first few that are not 200
}

// A Failure is a request that got no answer, or one other than 200.
type Failure struct {
	At      time.Time
	Took    time.Duration
	Host    string
	Status  int         // 0: no answer
	Err     error       // why there is no answer, or no complete one
	Header  http.Header // x-* and server headers of the answer
	Body    string      // its beginning
	NewConn bool        // it was the first request of its connection
}

// maxFailures is how many failures a report describes; all are counted.
const maxFailures = 10

func (f Failure) String() string {
	what := fmt.Sprint(f.Err)
	if f.Status != 0 {
		what = fmt.Sprintf("%d %v %q", f.Status, f.Header, f.Body)
		if f.Err != nil {
			what += ", " + f.Err.Error()
		}
	}
	conn := "used connection"
	if f.NewConn {
		conn = "new connection"
	}
	return fmt.Sprintf("%s %s after %s (%s): %s", f.At.Format("15:04:05.000"), f.Host, f.Took.Round(time.Microsecond), conn, what)
}

// Err is nil if requests were sent and every one was answered with 200. That some
// could not be sent at their time is no error: a busy machine does that, too.
func (r Report) Err() error {
	if r.Sent > 0 && r.Status[http.StatusOK] == r.Sent {
		return nil
	}
	return fmt.Errorf("not every request was answered with 200: %s", r)
}

func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests on %d connections", r.Sent, r.Conns)
	for _, status := range slices.Sorted(maps.Keys(r.Status)) {
		fmt.Fprintf(&b, ", %d: %d", status, r.Status[status])
	}
	fmt.Fprintf(&b, ", errors: %d, unsent: %d", r.Errors, r.Unsent)
	for _, failure := range r.Failures {
		fmt.Fprintf(&b, "\n  %s", failure)
	}
	return b.String()
}
