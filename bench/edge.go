package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"my-company.com/staticsite-operator/bench/load"
	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/proc"
)

// edge is the real program and a real Envoy with one worker.
type edge struct {
	operator *operator.Operator
	envoy    *envoy.Envoy
	port     int // of Envoy's listener

	begun, ready, live time.Duration // by load.Now: the program was started, it was ready, Envoy was live
	launched           time.Duration // Envoy was started
}

// startEdge starts both, one after the other.
func (b *bench) startEdge(ctx context.Context, kubeconfig, routes string, e *edge) (err error) {
	ctx, cancel := bounded(ctx, hung, "it did not start")
	defer cancel()
	if e.port, err = proc.FreePort("127.0.0.1"); err != nil {
		return err
	}
	e.begun = time.Duration(load.Now())
	e.operator, err = operator.Start(ctx, b.owner, operator.Options{
		Kubeconfig: kubeconfig, HTTPPort: e.port, Args: []string{"--routes=" + routes, "--zap-log-level=warn"},
	})
	if err != nil {
		return err
	}
	e.ready = time.Duration(load.Now())
	bootstrap, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: e.operator.XDSAddress, NodeID: "edge"})
	if err != nil {
		return err
	}
	e.launched = time.Duration(load.Now())
	if e.envoy, err = envoy.Launch(ctx, b.owner, envoy.Options{Bootstrap: bootstrap, Concurrency: 1}); err != nil {
		return err
	}
	if err := e.envoy.WaitLive(ctx); err != nil {
		return err
	}
	e.live = time.Duration(load.Now())
	return nil
}

func (e *edge) stop() {
	if e.envoy != nil {
		e.envoy.Stop()
	}
	if e.operator != nil {
		e.operator.Stop()
	}
}

// startPods starts what answers for all sites: the pod of every even Service has
// the first address, that of every odd one the second.
func (b *bench) startPods(port int32) error {
	for _, address := range podAddresses {
		pod := backend.Pod{Site: "all", Name: address, Address: net.JoinHostPort(address, fmt.Sprint(port))}
		if _, err := backend.Start(b.owner, pod); err != nil {
			return err
		}
	}
	return nil
}

// asker sends requests to an Envoy over one connection.
type asker struct {
	conn net.Conn
	in   *bufio.Reader
}

// asker returns one that asks until ctx ends.
func (e *edge) asker(ctx context.Context) (*asker, error) {
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(e.port)))
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	return &asker{conn, bufio.NewReader(conn)}, nil
}

// ask returns the status of one request and which pod answered it.
func (a *asker) ask(domain string) (status int, pod string, err error) {
	if _, err := fmt.Fprintf(a.conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", domain); err != nil {
		return 0, "", err
	}
	response, err := http.ReadResponse(a.in, nil)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header.Get(backend.PodHeader), err
}

// askEvery is how often the end of a change is looked for: often enough to see it
// to half a millisecond, seldom enough to leave both cores to what is measured.
const askEvery = 500 * time.Microsecond

// serves asks until a domain is served, and returns when it was, by load.Now.
func (a *asker) serves(ctx context.Context, domain string) (time.Duration, error) {
	ctx, cancel := bounded(ctx, hung, "it was not served")
	defer cancel()
	return a.until(ctx, domain, "")
}

// until asks until a pod answers, and returns when it first did, by load.Now.
func (a *asker) until(ctx context.Context, domain, pod string) (time.Duration, error) {
	next := time.Now()
	for {
		status, got, err := a.ask(domain)
		if err != nil {
			return 0, fmt.Errorf("ask for %s: %w", domain, err)
		}
		if status == http.StatusOK && (pod == "" || got == pod) {
			return time.Duration(load.Now()), nil
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("%s is answered %d by %q: %w", domain, status, got, context.Cause(ctx))
		}
		next = next.Add(askEvery)
		time.Sleep(time.Until(next))
	}
}
