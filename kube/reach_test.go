package kube

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"my-company.com/staticsite-operator/api/v1alpha1"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Who starts while the API server is away is not told that something is served.
func TestAnOutageFromTheStartIsOneOfWhatIsNotKnown(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	core, logs := observer.New(zap.InfoLevel)
	config := &rest.Config{Host: server.URL}
	server.Close()
	NoteOutages(config, zap.New(core))
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = client.Resource(v1alpha1.Resource).Watch(t.Context(), metav1.ListOptions{})
	if got := logs.TakeAll(); len(got) != 1 || got[0].Message != "cannot reach the API server, and nothing is served before it answers" {
		t.Errorf("logged: %v", got)
	}
}

// However often client-go tries, and whatever it makes of that, an outage is one
// line, and so is its end: connections that are reset, and answers that do not come
// in time.
func TestAnOutageIsLoggedOnceAndSoIsItsEnd(t *testing.T) {
	for name, outage := range map[string]http.HandlerFunc{
		"reset": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		},
		"hung": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		var down atomic.Bool
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() {
				outage(w, r)
				return
			}
			http.Error(w, "not now", http.StatusForbidden) // an answer is an answer
		}))
		core, logs := observer.New(zap.InfoLevel)
		config := &rest.Config{Host: server.URL}
		NoteOutages(config, zap.New(core))
		client, err := dynamic.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		try := func() {
			patience := 20 * time.Second // of a machine that is busy
			if down.Load() {
				patience = 100 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, _ = client.Resource(v1alpha1.Resource).Watch(ctx, metav1.ListOptions{})
		}
		for _, want := range []struct {
			down       bool
			lost, back int
		}{{false, 0, 0}, {true, 1, 0}, {true, 1, 0}, {false, 1, 1}, {true, 2, 1}, {false, 2, 2}} {
			down.Store(want.down)
			try()
			lost, back := logs.FilterMessageSnippet("cannot reach the API server").Len(), logs.FilterMessage("API server reached again").Len()
			if lost != want.lost || back != want.back {
				t.Errorf("%s: %d outages and %d ends were logged, want %d and %d", name, lost, back, want.lost, want.back)
			}
		}
		server.CloseClientConnections()
		server.Close()
	}
}
