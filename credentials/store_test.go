package credentials

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	. "my-company.com/staticsite-operator/credentials/credentialstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a Store on files that a test writes, at a time that it chooses.
type world struct {
	*Store
	t                  *testing.T
	operators, ingress *CA
	dir                string
	logs               *observer.ObservedLogs
	now                atomic.Pointer[time.Time]
}

var nextYear = time.Now().AddDate(0, 6, 0)

func newWorld(t *testing.T) *world {
	core, logs := observer.New(zap.InfoLevel)
	w := &world{t: t, operators: NewCA("operators"), ingress: NewCA("ingress"), dir: t.TempDir(), logs: logs}
	w.at(time.Now())
	w.mount("server", w.operators.Issue(nextYear, replicaName).Files(w.operators))
	w.mount("proxies", map[string][]byte{"ca.crt": PEM(w.ingress)})
	var err error
	w.Store, err = New(w.config(), func() time.Time { return *w.now.Load() }, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) config() Config {
	return Config{Dir: w.path("server"), ProxyCAs: w.path("proxies/ca.crt"), Proxies: []string{podName}, Replicas: []string{replicaName}}
}

func (w *world) path(name string) string                      { return filepath.Join(w.dir, name) }
func (w *world) mount(folder string, files map[string][]byte) { Mount(w.path(folder), files) }
func (w *world) at(now time.Time)                             { w.now.Store(&now) }
func (w *world) proxy() Pair                                  { return w.ingress.Issue(nextYear, podName) }
func (w *world) told(message string) []observer.LoggedEntry {
	return w.logs.FilterMessage(message).All()
}

// lookTwice looks until what is there is judged.
func (w *world) lookTwice() { w.look(); w.look() }

// serves returns the serial number of the certificate that the server would show.
func (w *world) serves() string { return w.current.Load().pair.Leaf.SerialNumber.String() }

func serialOf(p Pair) string { return p.TLS().Leaf.SerialNumber.String() }

func valueOf(t *testing.T, m prometheus.Metric) float64 {
	t.Helper()
	var read dto.Metric
	if err := m.Write(&read); err != nil {
		t.Fatal(err)
	}
	return read.GetGauge().GetValue() + read.GetCounter().GetValue()
}

// What is not good never replaces what is, and is told, once; when it is good again
// that is told too.
func TestWhatIsNotGoodIsNotUsed(t *testing.T) {
	w := newWorld(t)
	good := w.operators.Issue(nextYear, replicaName)
	w.mount("server", good.Files(w.operators))
	w.lookTwice()
	if w.serves() != serialOf(good) {
		t.Fatal("a new pair is not in use")
	}
	other := w.operators.Issue(nextYear, replicaName)
	bundle := PEM(w.operators, w.ingress)
	with := func(name string, content []byte) map[string][]byte {
		files := good.Files(w.operators)
		files[name] = content
		return files
	}
	const refused, used = "new credentials are not good: the old ones stay in use", "new credentials are in use"
	for _, test := range []struct {
		name, credentials string
		files             map[string][]byte
		why               string
	}{
		{"the key of another certificate", "certificate", with("tls.key", other.Key), "private key does not match public key"},
		{"a certificate without its key", "certificate", with("tls.crt", other.Certificate), "private key does not match public key"},
		{"half a key", "certificate", with("tls.key", good.Key[:len(good.Key)/2]), "failed to find any PEM data in key input"},
		{"no certificate", "certificate", with("tls.crt", nil), "failed to find any PEM data in certificate input"},
		{"an empty bundle", "replica-cas", with("ca.crt", nil), "it has no certificate"},
		{"a bundle cut in its second certificate", "replica-cas", with("ca.crt", bundle[:len(bundle)-100]), "it is cut, or spoiled, after certificate 1"},
		{"a bundle with a key", "replica-cas", with("ca.crt", append(bytes.Clone(bundle), good.Key...)), "it has a PRIVATE KEY: write certificates of CAs only"},
		{"a bundle with what is no CA", "replica-cas", with("ca.crt", append(bytes.Clone(bundle), good.Certificate...)), "certificate 3 (CN=of operators) is not a CA's"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := w.current.Load()
			w.logs.TakeAll()
			w.mount("server", test.files)
			w.look()
			if n := w.logs.Len(); n > 0 {
				t.Errorf("it is told although it may be half written: %v", w.logs.All())
			}
			w.lookTwice()
			w.lookTwice()
			if told := w.told(refused); len(told) != 1 || told[0].ContextMap()["credentials"] != test.credentials ||
				!strings.Contains(told[0].ContextMap()["error"].(string), test.why) || !strings.Contains(told[0].ContextMap()["error"].(string), w.path("server")) {
				t.Errorf("it is told: %v", told)
			}
			if got := valueOf(t, w.metrics.refused.WithLabelValues(test.credentials)); got != 1 {
				t.Errorf("the metric is %v", got)
			}
			if w.current.Load() != before {
				t.Error("the old ones are not in use any more")
			}
			w.mount("server", good.Files(w.operators)) // Put back as it was.
			w.lookTwice()
			if got := valueOf(t, w.metrics.refused.WithLabelValues(test.credentials)); got != 0 || len(w.told(used)) != 1 {
				t.Errorf("mended, the metric is %v: %v", got, w.told(used))
			}
		})
	}

	// The folder goes, and comes back.
	if err := os.RemoveAll(w.path("server")); err != nil {
		t.Fatal(err)
	}
	w.lookTwice()
	if w.serves() != serialOf(good) || len(w.told(refused)) == 0 {
		t.Error("without files the old pair is not in use, or it is not told")
	}
	w.mount("server", other.Files(w.operators))
	w.lookTwice()
	if w.serves() != serialOf(other) {
		t.Error("the new pair is not in use")
	}
}

// Nothing is lost where several parts change at once and one is bad.
func TestPartsAreJudgedApart(t *testing.T) {
	w := newWorld(t)
	next := w.operators.Issue(nextYear, replicaName)
	files := next.Files()
	w.mount("server", files) // an empty bundle
	w.lookTwice()
	if w.serves() != serialOf(next) {
		t.Error("a bad bundle holds up a good pair")
	}
	if len(w.current.Load().replicas) != 1 {
		t.Error("the bad bundle is in use")
	}
}

// At the start all must be good, and the error says which file is not.
func TestNewNeedsGoodFiles(t *testing.T) {
	w := newWorld(t)
	config := w.config()
	config.ProxyCAs = w.path("none.crt")
	if _, err := New(config, time.Now, zap.NewNop()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none.crt") {
		t.Errorf("without a bundle: %v", err)
	}
	files := w.proxy().Files(w.operators)
	maps.Copy(files, map[string][]byte{"tls.key": w.proxy().Key})
	w.mount("server", files)
	if _, err := New(w.config(), time.Now, zap.NewNop()); err == nil || !strings.Contains(err.Error(), w.path("server/tls.crt")+" and "+w.path("server/tls.key")+": private key") {
		t.Errorf("with another key: %v", err)
	}
}

// serve starts a gRPC server that proxies may ask for its health, and returns where.
func (w *world) serve() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	server := grpc.NewServer(w.Options(Access{healthpb.Health_Check_FullMethodName: {Proxy, Replica}, healthpb.Health_Watch_FullMethodName: {Proxy}})...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(listener) }()
	w.t.Cleanup(func() { server.Stop(); <-done })
	return listener.Addr().String()
}

// dial returns a client that shows a pair, and believes any server.
func (w *world) dial(address string, pair *Pair) healthpb.HealthClient {
	config := &tls.Config{InsecureSkipVerify: true}
	if pair != nil {
		config.Certificates = []tls.Certificate{pair.TLS()}
	}
	return w.dialWith(address, credentials.NewTLS(config))
}

func (w *world) dialWith(address string, creds credentials.TransportCredentials) healthpb.HealthClient {
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(creds))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return healthpb.NewHealthClient(conn)
}

func check(t *testing.T, client healthpb.HealthClient) error {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := client.Check(ctx, &healthpb.HealthCheckRequest{})
	return err
}

// A stream is not disturbed by a rotation; it ends, with its connection, when the
// certificate does, or when its CA has left the bundle; and what comes next is
// connected with what there is then.
func TestConnectionsEndWithTheirCertificates(t *testing.T) {
	w := newWorld(t)
	address := w.serve()
	pair := w.proxy()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	watch := func(client healthpb.HealthClient) (ended func() error) {
		stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		return func() error { _, err := stream.Recv(); return err }
	}
	client := w.dial(address, &pair)
	ended := watch(client)
	next := NewCA("ingress, the next")
	w.mount("server", w.operators.Issue(nextYear, replicaName).Files(w.operators))
	w.mount("proxies", map[string][]byte{"ca.crt": PEM(w.ingress, next)})
	w.lookTwice()
	other := next.Issue(nextYear, podName)
	if err := check(t, w.dial(address, &other)); err != nil {
		t.Errorf("a proxy of the next CA: %v", err)
	}
	if n := valueOf(t, w.metrics.connections.WithLabelValues("proxy")); n != 2 {
		t.Errorf("%v proxies are connected, want 2: a rotation ends none", n)
	}
	w.mount("proxies", map[string][]byte{"ca.crt": PEM(next)})
	w.lookTwice()
	if err := ended(); status.Code(err) != codes.Unavailable {
		t.Errorf("when the CA has left, the stream ends with %v", err)
	}
	if err := check(t, client); err == nil {
		t.Error("who is nobody is connected again")
	}

	short := next.Issue(w.now.Load().Add(time.Minute), podName)
	client = w.dial(address, &short)
	ended = watch(client)
	w.at(short.TLS().Leaf.NotAfter)
	w.look()
	if err := check(t, client); err != nil {
		t.Errorf("in its last second: %v", err)
	}
	w.at(w.now.Load().Add(2 * time.Second))
	if err := check(t, client); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a call on a connection that is not closed yet: %v", err)
	}
	w.look()
	if err := ended(); status.Code(err) != codes.Unavailable {
		t.Errorf("when the certificate has ended, the stream ends with %v", err)
	}
	if n := valueOf(t, w.metrics.ended); n != 2 {
		t.Errorf("%v connections were closed, want 2", n)
	}
}

// Who has another role is told so; who has none gets no connection.
func TestGate(t *testing.T) {
	w := newWorld(t)
	address := w.serve()
	replica := w.operators.Issue(nextYear, replicaName)
	stream, err := w.dial(address, &replica).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), "a replica may not call /grpc.health.v1.Health/Watch") {
		t.Errorf("a method of proxies: %v", err)
	}
	stranger := w.ingress.Issue(nextYear, "spiffe://example.org/ns/team/pod/x")
	for alert, pair := range map[string]*Pair{"bad certificate": &stranger, "certificate required": nil} {
		config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
		if pair != nil {
			config.Certificates = []tls.Certificate{pair.TLS()}
		}
		conn, err := tls.Dial("tcp", address, config)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); len(got) > 0 || err == nil || !strings.Contains(err.Error(), alert) {
			t.Errorf("a stranger is told %q, %v; want the alert %q", got, err, alert)
		}
		conn.Close()
	}

	// Plaintext gets no answer.
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	answer, _ := io.ReadAll(conn)
	if len(answer) > 0 && answer[0] != 21 { // a TLS alert
		t.Errorf("plaintext is answered with %q", answer)
	}
}

// A replica takes no proxy for a replica, whatever it dials.
func TestReplicasKnowEachOther(t *testing.T) {
	w := newWorld(t)
	if err := check(t, w.dialWith(w.serve(), w.Client())); err != nil {
		t.Error(err)
	}
	proxy := newWorld(t) // a server that shows a proxy's certificate
	proxy.current.Store(w.current.Load())
	pretender := *w.current.Load()
	pretender.pair = w.proxy().TLS()
	proxy.current.Store(&pretender)
	if err := check(t, w.dialWith(proxy.serve(), w.Client())); err == nil || !strings.Contains(err.Error(), "is a proxy, and no server") {
		t.Errorf("a proxy that poses as a replica: %v", err)
	}
}

// Strangers do not fill the log.
func TestRefusalsAreToldOnceASecond(t *testing.T) {
	w := newWorld(t)
	for range 100 {
		w.refuse(&net.TCPAddr{}, errors.New("no"))
	}
	w.at(w.now.Load().Add(time.Second))
	w.refuse(&net.TCPAddr{}, errors.New("no"))
	told := w.told("refused a connection")
	if len(told) != 2 || told[1].ContextMap()["unlogged"] != int64(99) {
		t.Errorf("told %d times: %v", len(told), told)
	}
}
