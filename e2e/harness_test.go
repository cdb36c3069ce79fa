package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/proc"
)

// bounded is the context of a test that is not to take longer than most. The
// bound is for a test that hangs: none proves anything by the time it takes.
func bounded(t *testing.T, most time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), most)
	t.Cleanup(cancel)
	return ctx
}

// must ends the test at an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An answer is what a proxy says to a request.
type answer struct {
	Status int
	Pod    string // which backend.Pod answered; "" if none did
	Body   string
}

// ask sends one request for host to a proxy, on a connection of its own.
func ask(ctx context.Context, address, host string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return answer{}, err
	}
	request.Host, request.Close = host, true
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get(backend.PodHeader), string(body)}, err
}

// awaitAnswer asks until a proxy answers with that status and, unless pod is
// empty, from that pod.
func awaitAnswer(ctx context.Context, address, host string, status int, pod string) error {
	return proc.Poll(ctx, func(ctx context.Context) error {
		got, err := ask(ctx, address, host)
		if err == nil && (got.Status != status || got.Pod != pod && pod != "") {
			err = fmt.Errorf("%s: status %d from pod %q, want %d from %q", host, got.Status, got.Pod, status, pod)
		}
		return err
	})
}
