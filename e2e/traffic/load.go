package traffic

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say what to send.
type Options struct {
	// Address is where to connect, host:port.
	Address string
	// Hosts are the sites to ask, in turn.
	Hosts []string
	// Path is what to ask for; "/" if empty.
	Path string
	// Rate is requests a second.
	Rate int
	// HTTP2 sends HTTP/2 with prior knowledge (h2c) instead of HTTP/1.1.
	HTTP2 bool
	// PerConn is how many requests a connection serves before it is replaced by a
	// new one; 50 if zero.
	PerConn int
	// Timeout bounds a request, its connection included; 5 s if zero.
	Timeout time.Duration
}

// lanes is how many connections there are at a time, and streams how many requests
// an HTTP/2 connection carries at a time. Their product bounds what waits for an
// answer, the same for both protocols.
const (
	lanes   = 4
	streams = 16
)

// Load is a stream of requests that flows until it is stopped.
type Load struct {
	options Options
	due     chan string // hosts to ask now
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	report Report
}

// Start starts sending. It returns at once; [Load.WaitSent] says when requests flow.
func Start(options Options) *Load {
	if options.Path == "" {
		options.Path = "/"
	}
	if options.PerConn == 0 {
		options.PerConn = 50
	}
	if options.Timeout == 0 {
		options.Timeout = 5 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Load{
		options: options,
		due:     make(chan string, lanes*streams), // as many may be late as may wait for an answer
		stop:    cancel,
		report:  Report{Status: map[int]int{}},
	}
	count, workers := lanes*streams, 1
	if options.HTTP2 {
		count, workers = lanes, streams
	}
	transport := newTransport(options.HTTP2)
	for range count {
		ln := &lane{transport: transport, address: options.Address, lifetime: options.PerConn, opened: l.countConn}
		var lane sync.WaitGroup
		for range workers {
			lane.Go(func() { l.work(ln) })
		}
		l.running.Go(func() {
			lane.Wait()
			ln.close()
		})
	}
	go l.schedule(ctx)
	return l
}

func newTransport(http2 bool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetUnencryptedHTTP2(http2)
	return &http.Transport{Protocols: protocols, DisableCompression: true}
}

// schedule makes requests due, at the constant rate.
func (l *Load) schedule(ctx context.Context) {
	defer close(l.due)
	started := time.Now()
	for n := 0; ; n++ {
		at := started.Add(time.Duration(n) * time.Second / time.Duration(l.options.Rate))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(at)):
		}
		select {
		case l.due <- l.options.Hosts[n%len(l.options.Hosts)]:
		default:
			l.mu.Lock()
			l.report.Unsent++
			l.mu.Unlock()
		}
	}
}

// work sends what is due, one request after another.
func (l *Load) work(ln *lane) {
	for host := range l.due {
		failure := l.send(ln, host)
		l.mu.Lock()
		l.report.Sent++
		if failure.Err != nil {
			l.report.Errors++
		} else {
			l.report.Status[failure.Status]++
		}
		if (failure.Err != nil || failure.Status != http.StatusOK) && len(l.report.Failures) < maxFailures {
			l.report.Failures = append(l.report.Failures, failure)
		}
		l.mu.Unlock()
	}
}

// send sends one request, once, and describes its outcome as if it had failed.
func (l *Load) send(ln *lane, host string) (outcome Failure) {
	ctx, cancel := context.WithTimeout(context.Background(), l.options.Timeout)
	defer cancel()
	outcome = Failure{At: time.Now(), Host: host}
	defer func() { outcome.Took = time.Since(outcome.At) }()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.options.Address+l.options.Path, nil)
	if err != nil {
		outcome.Err = err
		return outcome
	}
	request.Host = host
	var response *http.Response
	for response == nil {
		var conn *conn
		conn, outcome.NewConn, err = ln.acquire(ctx)
		if err != nil {
			outcome.Err = err
			return outcome
		}
		defer ln.release(conn)
		response, err = conn.RoundTrip(request)
		if err != nil && !unsent(err) {
			outcome.Err = err
			return outcome
		}
	}
	defer response.Body.Close()
	outcome.Status = response.StatusCode
	outcome.Header = telling(response.Header)
	body, err := io.ReadAll(response.Body) // to the end: a cut body is an error
	outcome.Body = string(body[:min(len(body), 200)])
	outcome.Err = err
	return outcome
}

// unsent reports whether an error means that nothing was sent: the connection's end
// was announced after it was acquired. Any client takes another one then.
func unsent(err error) bool { return err.Error() == "http2: client conn not usable" }

// telling returns the headers that say who answered and why.
func telling(all http.Header) http.Header {
	some := http.Header{}
	for name, values := range all {
		if lower := strings.ToLower(name); lower == "server" || strings.HasPrefix(lower, "x-") {
			some[name] = values
		}
	}
	return some
}

func (l *Load) countConn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.Conns++
}

// Report returns the account so far.
func (l *Load) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	report := l.report
	report.Status = maps.Clone(report.Status)
	report.Failures = slices.Clone(report.Failures)
	return report
}

// WaitSent waits until n more requests have been sent and answered, or lost.
func (l *Load) WaitSent(ctx context.Context, n int) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for goal := l.Report().Sent + n; ; {
		sent := l.Report().Sent
		if sent >= goal {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %d more requests: %w", goal-sent, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// Stop sends no more, waits for the answers that are still to come, and returns
// the account. Stopping again returns it again.
func (l *Load) Stop() Report {
	l.stop()
	l.running.Wait()
	return l.Report()
}
