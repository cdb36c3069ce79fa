package source

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// What is refused is told with the right that is missing and the file that grants
// it, and what follows from it: at the start another thing than later.
func TestARightThatIsMissingIsNamed(t *testing.T) {
	logs, log := logged()
	var known atomic.Bool
	o := newWatchOutage(log, watched[1].resource, &known)
	denied := apierrors.NewForbidden(watched[1].resource.GroupResource(), "", errors.New(`User "x" cannot list resource "services"`))
	for _, want := range []string{"cannot watch, and nothing is served before that works", "cannot watch, serving what is known"} {
		noteWatch(t.Context(), o, denied)
		noteWatch(t.Context(), o, denied)
		noteWatch(t.Context(), o, nil)
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
