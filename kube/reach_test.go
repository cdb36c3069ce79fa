package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Who starts while the API server is away is not told that something is served.
func TestAnOutageFromTheStartIsOneOfWhatIsNotKnown(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	logs, log := logged()
	config := &rest.Config{Host: server.URL}
	server.Close()
	NoteOutages(config, log)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = client.Resource(watched[0].resource).Watch(t.Context(), metav1.ListOptions{})
	if got := logs.TakeAll(); len(got) != 1 || got[0].Message != "cannot reach the API server, and nothing is served before it answers" {
		t.Errorf("logged: %v", got)
	}
}

// What is refused is told with the right that is missing and the file that grants
// it, and what follows from it: at the start another thing than later.
func TestARightThatIsMissingIsNamed(t *testing.T) {
	logs, log := logged()
	var known atomic.Bool
	o := newWatchOutage(log, watched[1].resource, &known)
	denied := apierrors.NewForbidden(watched[1].resource.GroupResource(), "", errors.New(`User "x" cannot list resource "services"`))
	for _, want := range []string{"cannot watch, and nothing is served before that works", "cannot watch, serving what is known"} {
		o.noteWatch(t.Context(), denied)
		o.noteWatch(t.Context(), denied)
		o.noteWatch(t.Context(), nil)
		known.Store(true)
		got := logs.TakeAll()
		if len(got) != 2 || got[0].Message != want {
			t.Fatalf("logged: %v, want %q and the end of it", got, want)
		}
		text := fmt.Sprint(got[0].ContextMap()["error"])
		if !strings.Contains(text, `cannot list resource "services"`) || !strings.Contains(text, "manifests/control-plane/rbac.yaml") {
			t.Errorf("the error is %q", text)
		}
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
		logs, log := logged()
		config := &rest.Config{Host: server.URL}
		NoteOutages(config, log)
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
			_, _ = client.Resource(watched[0].resource).Watch(ctx, metav1.ListOptions{})
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
