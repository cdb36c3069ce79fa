package e2e

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/link"
	"my-company.com/staticsite-operator/explain"
)

// TestExplainCluster asks about sites of a real cluster and a real proxy, with an
// account that may list what is explained and nothing else.
func TestExplainCluster(t *testing.T) {
	ctx := bounded(t, 3*time.Minute)
	c := install(t, ctx)
	wire, err := link.Listen("127.0.0.1:0", strings.TrimPrefix(c.APIServer.URL, "https://"))
	must(t, err)
	t.Cleanup(func() { wire.Close() })
	r := c.startReplica(t, ctx, 1, wire.Addr())
	must(t, c.apply(ctx, namespaceYAML("docs"), namespaceYAML("team"), readers))
	reader := "--kubeconfig=" + c.accountKubeconfig(t, ctx, "docs", "reader")
	about := func(args ...string) question {
		return append(question{reader, "--server=" + r.XDSAddress}, args...)
	}

	pod := startPod(t, 1, "docs-1")
	must(t, c.apply(ctx, serviceYAML("docs", "docs-svc", 80), sliceYAML("docs", "docs-svc", pod.Address()),
		siteYAML("docs", "docs-main", "docs.example.com", "docs-svc", 80)))
	about("https://docs.example.com/path").await(t, ctx, v1alpha1.ReasonNoProxies, 1)
	p := r.startEnvoy(t, ctx, "edge-1")

	t.Run("Served", func(t *testing.T) {
		must(t, awaitAnswer(ctx, p.address, "docs.example.com", http.StatusOK, "docs-1"))
		for _, asked := range []string{"https://docs.example.com/path", "DOCS.example.com.", "docs/docs-main"} {
			e := about(asked).await(t, ctx, "Served", 0)
			if !e.Served || e.Holder != "docs/docs-main" || e.Route.From != "proxies" || e.Cluster.Service != "docs/docs-svc" ||
				len(e.Endpoints) != 1 || e.Endpoints[0].Address != pod.Address() || len(e.Proxies) != 1 || e.Proxies[0].Node != "edge-1" {
				t.Errorf("%s: %+v", asked, e)
			}
			if len(e.Conditions) < 4 || e.Conditions[2].From != "status" || e.Conditions[2].Status != "True" {
				t.Errorf("%s: conditions %+v", asked, e.Conditions)
			}
		}
		says(t, about("https://docs.example.com/path").text(t, ctx), "https://docs.example.com/path is answered by StaticSite docs/docs-main: "+
			"Service docs/docs-svc:80, 1 endpoint ready, acknowledged by 1 of 1 proxy\n")
	})

	t.Run("Nobody", func(t *testing.T) {
		e := about("dosc.example.com").await(t, ctx, "NotClaimed", 1)
		if !slices.Equal(e.Nearest, []string{"docs.example.com (StaticSite docs/docs-main)"}) || !strings.Contains(e.Example, "domain: dosc.example.com") {
			t.Errorf("%+v", e)
		}
		// What a team is told to write is what the API server takes.
		must(t, c.apply(ctx, namespaceYAML("my-team"), e.Example))
		about("dosc.example.com").await(t, ctx, v1alpha1.ReasonServiceNotFound, 1)
		e = about("docs/docs-mian").await(t, ctx, "NoSuchSite", 1)
		if len(e.Nearest) != 1 {
			t.Errorf("%+v", e)
		}
	})

	t.Run("Conflict", func(t *testing.T) {
		must(t, c.apply(ctx, siteYAML("team", "rival", "docs.example.com", "docs-svc", 80), siteYAML("team", "later", "Docs.Example.Com", "docs-svc", 80)))
		e := about("team/rival").await(t, ctx, v1alpha1.ReasonDomainConflict, 1)
		says(t, e.Next, "docs/docs-main", "docs.example.com")
		e = about("docs.example.com").await(t, ctx, "Served", 0)
		if len(e.Claims) != 2 || e.Claims[0].Why != "it has it in its status" || e.Claims[1].Site != "team/rival" {
			t.Errorf("claims %+v", e.Claims)
		}
	})

	t.Run("OtherSpelling", func(t *testing.T) { // which no selector finds
		must(t, c.apply(ctx, siteYAML("docs", "upper", "Upper.Example.COM", "docs-svc", 80)))
		must(t, awaitAnswer(ctx, p.address, "upper.example.com", http.StatusOK, "docs-1"))
		about("upper.example.com").await(t, ctx, "Served", 0)
	})

	t.Run("ServiceMissing", func(t *testing.T) {
		must(t, c.apply(ctx, siteYAML("docs", "lost", "lost.example.com", "nowhere", 80)))
		must(t, awaitAnswer(ctx, p.address, "lost.example.com", http.StatusServiceUnavailable, ""))
		e := about("http://lost.example.com").await(t, ctx, v1alpha1.ReasonServiceNotFound, 1)
		says(t, e.Verdict, "is answered with 503", "Service docs/nowhere does not exist")
		must(t, c.apply(ctx, serviceYAML("docs", "nowhere", 80), sliceYAML("docs", "nowhere")))
		e = about("http://lost.example.com").await(t, ctx, "NoEndpoints", 1)
		says(t, e.Verdict, "is answered with 503", "has no ready endpoint")
	})

	t.Run("ServerBehind", func(t *testing.T) {
		wire.Freeze()
		must(t, c.apply(ctx, siteYAML("docs", "docs-main", "docs.example.com", "nowhere", 80), sliceYAML("docs", "nowhere", pod.Address())))
		e := about("docs.example.com").await(t, ctx, "ServerBehind", 1)
		says(t, e.Verdict, "docs_docs-svc_80_cluster", "docs_nowhere_80_cluster")
		says(t, strings.Join(e.Notes, "\n"), "the status is about generation 1, and the site is at 2")
		wire.Cut()
		wire.Thaw()
		about("docs.example.com").await(t, ctx, "Served", 0)
	})

	t.Run("Unreachable", func(t *testing.T) {
		e := append(question{reader}, "docs.example.com", "--server=127.0.0.1:1").await(t, ctx, "NoServer", 1)
		if len(e.Conditions) < 4 || len(e.Endpoints) != 1 || !strings.Contains(e.Servers[0].Error, "connection refused") {
			t.Errorf("%+v", e)
		}
		nowhere := "--kubeconfig=" + c.unreachable(t)
		e = question{nowhere, "docs.example.com", "--server=" + r.XDSAddress}.await(t, ctx, "NoObjects", 1)
		says(t, e.Verdict, "answered by StaticSite docs/docs-main, as the proxies have it")
		e = question{nowhere, "docs.example.com", "--server=127.0.0.1:1"}.await(t, ctx, "NoObjects", 2)
		says(t, e.Verdict, "nothing is known", "did not answer")
	})

	t.Run("Rights", func(t *testing.T) {
		nobody := "--kubeconfig=" + c.accountKubeconfig(t, ctx, "docs", "nobody")
		e := question{nobody, "docs.example.com", "--server=" + r.XDSAddress}.await(t, ctx, "NoObjects", 1)
		says(t, e.Next, "no right to list staticsites.platform.my-company.com in all namespaces")
		own := "--kubeconfig=" + c.accountKubeconfig(t, ctx, "docs", "own")
		e = question{own, "docs/docs-main", "--server=" + r.XDSAddress}.await(t, ctx, "Served", 0)
		says(t, strings.Join(e.Notes, "\n"), "who else claims docs.example.com is not known", "Service docs/nowhere and its endpoints were not read",
			"what SiteDomainPolicies permit is not known")
		// The server's own account is enough, so that it works in its pod.
		server := "--kubeconfig=" + c.accountKubeconfig(t, ctx, serverNamespace, serverAccount)
		question{server, "docs.example.com", "--server=" + r.XDSAddress}.await(t, ctx, "Served", 0)
	})

	t.Run("TwoReplicas", func(t *testing.T) {
		second := c.startReplica(t, ctx, 2, "")
		second.startEnvoy(t, ctx, "edge-2")
		e := about("docs.example.com", "--server="+second.XDSAddress).await(t, ctx, "Served", 0)
		if got := nodes(e); !slices.Equal(got, []string{"edge-1", "edge-2"}) {
			t.Errorf("proxies %v", got)
		}
	})

	t.Run("KindMissing", func(t *testing.T) {
		r.Stop()
		_, err := c.kubectl(ctx, "", "delete", "crd", "staticsites.platform.my-company.com")
		must(t, err)
		e := about("docs.example.com").await(t, ctx, "NoObjects", 2)
		says(t, e.Next, "has no kind staticsites.platform.my-company.com", "kubectl apply -k manifests")
	})
}

func nodes(e *explain.Explanation) (nodes []string) {
	for _, p := range e.Proxies {
		nodes = append(nodes, p.Node)
	}
	return nodes
}

// readers are three accounts: one may list all that is explained, one nothing, and
// one the sites of its own namespace.
const readers = `{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader, namespace: docs}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: nobody, namespace: docs}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: own, namespace: docs}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: explain}
rules:
- apiGroups: [platform.my-company.com]
  resources: [staticsites, sitedomainpolicies]
  verbs: [list]
- apiGroups: [""]
  resources: [services, namespaces]
  verbs: [list]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: explain}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: explain}
subjects: [{kind: ServiceAccount, name: reader, namespace: docs}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: own, namespace: docs}
rules:
- apiGroups: [platform.my-company.com]
  resources: [staticsites]
  verbs: [list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: own, namespace: docs}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: own}
subjects: [{kind: ServiceAccount, name: own, namespace: docs}]
`

// accountKubeconfig returns a kubeconfig with the rights of a ServiceAccount.
func (c *installation) accountKubeconfig(t *testing.T, ctx context.Context, namespace, name string) string {
	t.Helper()
	config, err := c.APIServer.ServiceAccountConfig(ctx, namespace, name)
	must(t, err)
	path, err := c.APIServer.WriteKubeconfig(config, namespace)
	must(t, err)
	return path
}

// unreachable returns a kubeconfig of an API server where none is.
func (c *installation) unreachable(t *testing.T) string {
	t.Helper()
	config := c.APIServer.AdminConfig()
	config.Host = "https://127.0.0.1:1"
	path, err := c.APIServer.WriteKubeconfig(config, "default")
	must(t, err)
	return path
}
