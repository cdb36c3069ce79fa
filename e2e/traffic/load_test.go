package traffic

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serve starts a server that speaks both protocols.
func serve(t *testing.T, handler http.HandlerFunc) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// run sends n requests and returns the account of them.
func run(t *testing.T, n int, options Options) Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	load := Start(options)
	if err := load.WaitSent(ctx, n); err != nil {
		t.Error(err)
	}
	report := load.Stop()
	if got := report.Errors + sum(report.Status); got != report.Sent {
		t.Errorf("%d of %d requests are accounted for", got, report.Sent)
	}
	return report
}

func sum(counts map[int]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

// both runs a test over both protocols.
func both(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP2", func(t *testing.T) { test(t, true) })
}

func TestAllWell(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		var ofProtocol, ofA, ofB atomic.Int64
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if http2 == (r.ProtoMajor == 2) {
				ofProtocol.Add(1)
			}
			switch r.Host {
			case "a.example.com":
				ofA.Add(1)
			case "b.example.com":
				ofB.Add(1)
			}
			w.Write([]byte("fine"))
		})
		report := run(t, 300, Options{
			Address: address, Hosts: []string{"a.example.com", "b.example.com"},
			Rate: 1000, HTTP2: http2, PerConn: 3,
		})
		if err := report.Err(); err != nil {
			t.Error(err)
		}
		if int(ofProtocol.Load()) != report.Sent || int(ofA.Load()+ofB.Load()) != report.Sent || ofA.Load() == 0 || ofB.Load() == 0 {
			t.Errorf("the server saw %d of the protocol, %d for a, %d for b; sent %d", ofProtocol.Load(), ofA.Load(), ofB.Load(), report.Sent)
		}
		if report.Conns < report.Sent/3 || report.Conns >= report.Sent {
			t.Errorf("%d connections for %d requests, want used ones and new ones", report.Conns, report.Sent)
		}
	})
}

// TestResetIsCounted breaks connections in a way that an ordinary client hides by
// asking again: before the first byte of an answer, on a connection in use.
func TestResetIsCounted(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		var seen, broken atomic.Int64
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if seen.Add(1)%50 != 0 {
				return
			}
			broken.Add(1)
			if http2 {
				panic(http.ErrAbortHandler) // RST_STREAM
			}
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		})
		report := run(t, 300, Options{Address: address, Hosts: []string{"a"}, Rate: 1000, HTTP2: http2})
		if broken.Load() == 0 || report.Errors != int(broken.Load()) || report.Sent != int(seen.Load()) {
			t.Errorf("the server saw %d requests and broke %d of them; the report says %s", seen.Load(), broken.Load(), report)
		}
		if report.Err() == nil {
			t.Error("all is said to be well")
		}
		if text := report.String(); !strings.Contains(text, "errors: ") || len(report.Failures) == 0 || report.Failures[0].Err == nil {
			t.Errorf("the report has no details: %s", text)
		}
	})
}

func TestStatusAndDetails(t *testing.T) {
	both(t, func(t *testing.T, http2 bool) {
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Reason", "no endpoints")
			w.Header().Set("Date", "not telling")
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write([]byte("come back later"))
		})
		report := run(t, 50, Options{Address: address, Hosts: []string{"a"}, Rate: 1000, HTTP2: http2})
		if report.Status[503] != report.Sent || report.Errors != 0 || report.Err() == nil {
			t.Errorf("report: %s", report)
		}
		if len(report.Failures) != maxFailures {
			t.Errorf("%d failures are described, want %d", len(report.Failures), maxFailures)
		}
		first := report.Failures[0]
		if first.Status != 503 || first.Body != "come back later" || first.Header.Get("X-Reason") != "no endpoints" || first.Header.Get("Date") != "" {
			t.Errorf("first failure: %s", first)
		}
	})
}

// TestAnnouncedEndIsNoError: a server that says that it closes loses nothing. (For
// HTTP/2 it takes a server that says so before it refuses; package envoy has one.)
func TestAnnouncedEndIsNoError(t *testing.T) {
	var seen atomic.Int64
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1)%10 == 0 {
			w.Header().Set("Connection", "close")
		}
	})
	report := run(t, 300, Options{Address: address, Hosts: []string{"a"}, Rate: 1000, PerConn: 1 << 30})
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	if report.Conns < report.Sent/20 {
		t.Errorf("%d connections for %d requests: they were not replaced", report.Conns, report.Sent)
	}
}

func TestRefusedAndCut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	refused := run(t, 20, Options{Address: listener.Addr().String(), Hosts: []string{"a"}, Rate: 1000})
	if refused.Errors != refused.Sent {
		t.Errorf("nobody listens, but: %s", refused)
	}

	cut := run(t, 20, Options{Hosts: []string{"a"}, Rate: 1000, Address: serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("half of it"))
	})})
	if cut.Errors != cut.Sent || len(cut.Failures) == 0 || cut.Failures[0].Status != 200 {
		t.Errorf("bodies are cut, but: %s", cut)
	}
}

// TestHungServer: requests that cannot be sent at their time are counted.
func TestHungServer(t *testing.T) {
	release := make(chan struct{})
	address := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	load := Start(Options{Address: address, Hosts: []string{"a"}, Rate: 5000, Timeout: time.Minute})
	for load.Report().Unsent == 0 {
		select {
		case <-t.Context().Done():
			t.Fatal("never ran out of connections")
		case <-time.After(time.Millisecond):
		}
	}
	close(release)
	if report := load.Stop(); report.Sent == 0 || report.Err() != nil {
		t.Errorf("those that were sent were answered at last, but: %s", report)
	}
}
