package backend

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"my-company.com/staticsite-operator/e2e/proc"
)

// Pod says what to start.
type Pod struct {
	Site    string
	Name    string
	Address string       // host:port; port 0: any
	Handler http.Handler // nil: every request is answered with "site=<Site> pod=<Name>\n"
	HTTP2   bool         // it speaks h2c only
}

// Every answer says who gave it in these headers.
const (
	SiteHeader = "X-Backend-Site"
	PodHeader  = "X-Backend-Pod"
)

// Backend is a pod that runs.
type Backend struct {
	pod      Pod
	address  string
	server   *http.Server
	requests atomic.Int64
}

// Start starts a pod; owner's end stops it. It speaks HTTP/1.1, unless the pod says
// otherwise, and h2c.
func Start(owner proc.Owner, pod Pod) (*Backend, error) {
	listener, err := net.Listen("tcp", pod.Address)
	if err != nil {
		return nil, fmt.Errorf("start backend %s of %s: %w", pod.Name, pod.Site, err)
	}
	if pod.Handler == nil {
		pod.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "site=%s pod=%s\n", pod.Site, pod.Name)
		})
	}
	b := &Backend{pod: pod, address: listener.Addr().String()}
	b.server = &http.Server{Handler: http.HandlerFunc(b.serve), Protocols: new(http.Protocols)}
	b.server.Protocols.SetHTTP1(!pod.HTTP2)
	b.server.Protocols.SetUnencryptedHTTP2(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.server.Serve(listener) // always ends with ErrServerClosed, by Stop
	}()
	owner.Cleanup(func() {
		b.Stop()
		<-done
	})
	return b, nil
}

func (b *Backend) serve(w http.ResponseWriter, r *http.Request) {
	b.requests.Add(1)
	w.Header().Set(SiteHeader, b.pod.Site)
	w.Header().Set(PodHeader, b.pod.Name)
	b.pod.Handler.ServeHTTP(w, r)
}

// Address returns host:port.
func (b *Backend) Address() string { return b.address }

// Requests returns how many requests came so far.
func (b *Backend) Requests() int { return int(b.requests.Load()) }

// Drain refuses new connections, answers what was asked already, and returns when
// all is answered: a pod that ends as it should.
func (b *Backend) Drain(ctx context.Context) error { return b.server.Shutdown(ctx) }

// Stop breaks every connection: a pod that is gone.
func (b *Backend) Stop() { b.server.Close() }
