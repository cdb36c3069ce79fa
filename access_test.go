package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"my-company.com/staticsite-operator/control"
	"my-company.com/staticsite-operator/credentials"
	"my-company.com/staticsite-operator/credentials/credentialstest"
	"my-company.com/staticsite-operator/explain/gather"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/replicas"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

const (
	proxySAN   = "ssg-envoy-gateway.ingress.svc"
	replicaSAN = "staticsite-operator-xds-svc.operators.svc"
)

// TestAccess calls every method of every port as everybody: only who may gets a byte
// of an answer. The methods are the servers' own list.
func TestAccess(t *testing.T) {
	operators, ingress, other := credentialstest.NewCA("operators"), credentialstest.NewCA("ingress"), credentialstest.NewCA("other")
	later := time.Now().Add(time.Hour)
	flags := lockedFlags(t, operators, ingress)
	ports := serveOn(t, flags)
	// A caller: its certificate, and the roles that it has.
	shows := func(p credentialstest.Pair) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{p.TLS()}, InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	}
	callers := []struct {
		name string
		tls  *tls.Config // nil: plaintext
		role credentials.Role
	}{
		{name: "plaintext"},
		{"no certificate", &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}, credentials.Nobody},
		{"other CA", shows(other.Issue(later, proxySAN, replicaSAN)), credentials.Nobody},
		{"expired proxy", shows(ingress.Issue(time.Now().Add(-time.Minute), proxySAN)), credentials.Nobody},
		{"expired replica", shows(operators.Issue(time.Now().Add(-time.Minute), replicaSAN)), credentials.Nobody},
		{"wrong name", shows(ingress.Issue(later, "web.team.svc")), credentials.Nobody},
		{"replica's name by the proxies' CA", shows(ingress.Issue(later, replicaSAN)), credentials.Nobody},
		{"proxy's name by the replicas' CA", shows(operators.Issue(later, proxySAN)), credentials.Nobody},
		{"proxy", shows(ingress.Issue(later, proxySAN)), credentials.Proxy},
		{"replica", shows(operators.Issue(later, replicaSAN)), credentials.Replica},
	}

	// Who may what, a second time: a slip in access.go is no promise.
	mayCall := map[string][]credentials.Role{
		"envoy.service.discovery.v3.AggregatedDiscoveryService": {credentials.Proxy},
		"staticsite.operator.v1.Replicas":                       {credentials.Replica},
		"grpc.health.v1.Health":                                 {credentials.Proxy, credentials.Replica},
	}
	roles := access()
	seen := make(map[string]bool)
	for _, port := range ports {
		locked := port.Address == flags.locked
		for service, info := range port.NewGRPCServer().GetServiceInfo() {
			for _, m := range info.Methods {
				method := "/" + service + "/" + m.Name
				if locked && roles[method] == nil {
					t.Errorf("nobody may call %s over TLS: say in access.go who may", method)
				}
				if locked {
					seen[method] = true
				}
				for _, caller := range callers {
					may := !locked && caller.tls == nil || locked && slices.Contains(mayCall[service], caller.role)
					for _, path := range []string{method, method[1:]} {
						// Without the slash it is no method, for anybody.
						want := may && path == method
						answered, said := call(t, port.Address, caller.tls, path)
						if answered != want {
							t.Errorf("%s calls %s at %s: an answer: %v (%s), want %v", caller.name, path, port.Flag, answered, said, want)
						}
					}
				}
			}
		}
	}
	for method := range roles {
		if !seen[method] {
			t.Errorf("access.go says who may call %s, which is not served over TLS", method)
		}
	}
}

// lockedFlags are those of a server whose replicas and proxies have these CAs.
func lockedFlags(t *testing.T, operators, ingress *credentialstest.CA) *listenFlags {
	t.Helper()
	dir := t.TempDir()
	server := operators.Issue(time.Now().Add(time.Hour), replicaSAN)
	credentialstest.Mount(filepath.Join(dir, "server"), server.Files(operators))
	credentialstest.Mount(filepath.Join(dir, "proxies"), map[string][]byte{"ca.crt": credentialstest.PEM(ingress)})
	return &listenFlags{
		plain: freeAddress(t), locked: freeAddress(t), inspect: freeAddress(t),
		files: credentials.Config{Dir: filepath.Join(dir, "server"), ProxyCAs: filepath.Join(dir, "proxies/ca.crt"), Proxies: []string{proxySAN}, Replicas: []string{replicaSAN}},
	}
}

// People ask on loopback, who need no certificate; who asks where proxies connect is
// told where to ask.
func TestExplainAsksTheInspectPort(t *testing.T) {
	flags := lockedFlags(t, credentialstest.NewCA("operators"), credentialstest.NewCA("ingress"))
	serveOn(t, flags)
	if _, err := gather.ClientStatus(t.Context(), flags.inspect, nil); err != nil {
		t.Errorf("at --xds-inspect-bind-address: %v", err)
	}
	if _, err := gather.ClientStatus(t.Context(), flags.locked, nil); err == nil || !strings.Contains(err.Error(), "ask at --xds-inspect-bind-address") {
		t.Errorf("at --xds-tls-bind-address: %v", err)
	}
}

// serveOn serves sites where the flags say, until the test ends.
func serveOn(t *testing.T, flags *listenFlags) []xds.Port {
	t.Helper()
	log := zap.NewNop()
	store := xds.NewStore()
	server := xds.NewServer(store, xds.DefaultAckTimeout, log)
	objects := latest.New[object.Ref, object.Object]()
	loop := control.NewLoop(translate.Options{}, objects, store, server.Observations(), log)
	loop.Follow("test")
	listeners, err := flags.listen(server, []func(grpc.ServiceRegistrar){replicas.NewServer(loop, 1, "test").Register}, log)
	if err != nil {
		t.Fatal(err)
	}
	site := &object.Site{Key: object.Key{Namespace: "docs", Name: "docs"}, Domain: "docs.example.com", Service: "web", Port: 80}
	objects.Put(site.Ref(), site)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 3)
	go func() { loop.Run(ctx); done <- nil }()
	go func() { listeners.store.Run(ctx); done <- nil }()
	go func() { done <- server.Serve(ctx, listeners.ports...) }()
	t.Cleanup(func() {
		stop()
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	deadline := time.Now().Add(20 * time.Second)
	for !server.Listening() {
		if time.Now().After(deadline) {
			t.Fatal("it does not listen")
		}
		time.Sleep(time.Millisecond)
	}
	return listeners.ports
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// call sends one empty message to a method, frame by frame, since gRPC's own client
// mends what is sent. It reports whether the method was called: whether the server
// answered with a message, or with a status other than those that keep callers out.
func call(t *testing.T, address string, config *tls.Config, path string) (answered bool, said string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if config != nil {
		conn = tls.Client(conn, config)
	}
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for _, field := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "x"}, {"content-type", "application/grpc"}, {"te", "trailers"}} {
		encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	var request bytes.Buffer
	framer := http2.NewFramer(&request, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	request.WriteString(http2.ClientPreface)
	framer.WriteSettings()
	framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headers.Bytes(), EndHeaders: true})
	framer.WriteData(1, true, make([]byte, 5))
	if _, err := conn.Write(request.Bytes()); err != nil {
		return false, err.Error()
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				t.Errorf("%s hangs", path)
			}
			if !errors.Is(err, io.EOF) {
				said += err.Error()
			}
			return false, said + "closed"
		}
		switch f := frame.(type) {
		case *http2.DataFrame:
			return true, "a message"
		case *http2.RSTStreamFrame:
			return false, fmt.Sprint(f.ErrCode)
		case *http2.MetaHeadersFrame:
			for _, field := range f.Fields {
				switch field.Name {
				case "grpc-status":
					said += field.Value
				case "grpc-message":
					said += " " + field.Value
				}
			}
			if f.StreamEnded() {
				code, _, _ := strings.Cut(said, " ")
				out := []codes.Code{codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented}
				return !slices.ContainsFunc(out, func(c codes.Code) bool { return fmt.Sprint(int(c)) == code }), said
			}
		}
	}
}
