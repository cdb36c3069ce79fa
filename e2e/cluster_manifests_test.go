package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"my-company.com/staticsite-operator/e2e/parts"
)

// testAppliedAgain: who applies the manifests twice is told the second time that
// nothing has changed. Of a PodDisruptionBudget kubectl never says so: it sends the
// selector each time.
func testAppliedAgain(t *testing.T, ctx context.Context, c *installation, _ *replica, _ *proxy) {
	root, err := parts.Root()
	must(t, err)
	var said string
	for range 2 {
		said, err = c.kubectl(ctx, "", "apply", "-k", filepath.Join(root, "manifests"))
		must(t, err)
	}
	unchanged := 0
	for line := range strings.Lines(said) {
		switch {
		case strings.HasSuffix(line, " unchanged\n"):
			unchanged++
		case !strings.HasPrefix(line, "poddisruptionbudget.policy/"):
			t.Errorf("the second time kubectl says %q", line)
		}
	}
	if unchanged < 10 {
		t.Errorf("kubectl says of %d objects that they are unchanged:\n%s", unchanged, said)
	}
}

// testTeams: the roles for people give them the sites of their namespace, and
// nothing of the operator's. (That they become part of view and edit is the work of
// the controller manager, which is not here; their labels ask for it.)
func testTeams(t *testing.T, ctx context.Context, c *installation, _ *replica, _ *proxy) {
	must(t, c.apply(ctx, namespaceYAML("crew"), binding("editor", "staticsite-edit"), binding("editor", "staticsite-view"), binding("viewer", "staticsite-view")))
	for _, test := range []struct {
		user, namespace, verb, resource, want string
	}{
		{"editor", "crew", "create", "staticsites", "yes"},
		{"editor", "crew", "delete", "staticsites", "yes"},
		{"editor", "crew", "watch", "staticsites", "yes"},
		{"editor", "crew", "patch", "staticsites/status", "no"},
		{"editor", "docs", "create", "staticsites", "no"},
		{"viewer", "crew", "list", "staticsites", "yes"},
		{"viewer", "crew", "update", "staticsites", "no"},
	} {
		what := []string{test.verb, test.resource + ".platform.my-company.com"}
		if resource, subresource, found := strings.Cut(test.resource, "/"); found {
			what = []string{test.verb, resource + ".platform.my-company.com", "--subresource=" + subresource}
		}
		said, _ := c.kubectl(ctx, "", append([]string{"auth", "can-i", "--as=" + test.user, "-n", test.namespace}, what...)...)
		if strings.TrimSpace(said) != test.want {
			t.Errorf("may %s %s %s in %s? %q, want %s", test.user, test.verb, test.resource, test.namespace, said, test.want)
		}
	}
	for role, label := range map[string]string{"view": "aggregate-to-view", "edit": "aggregate-to-edit"} {
		found, err := c.kubectl(ctx, "", "get", "clusterrole", "-l", "rbac.authorization.k8s.io/"+label+"=true", "-o", "name")
		must(t, err)
		says(t, found, "clusterrole.rbac.authorization.k8s.io/staticsite-"+role+"\n")
	}
}

// binding gives a user a role in the namespace crew.
func binding(user, role string) string {
	return fmt.Sprintf(`apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: %s-%s, namespace: crew}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %[2]s}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %[1]s}]
`, user, role)
}
