package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/cluster"
	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// What the manifests run the server as.
const (
	serverNamespace = "operators"
	serverAccount   = "staticsite-operator-sa"
	serverUser      = "system:serviceaccount:" + serverNamespace + ":" + serverAccount
)

// An installation is a cluster in which our manifests are applied.
type installation struct {
	*cluster.Cluster
	kubeconfig string // an administrator's
}

func install(t *testing.T, ctx context.Context) *installation {
	t.Helper()
	k, err := cluster.Start(ctx, t)
	must(t, err)
	root, err := parts.Root()
	must(t, err)
	must(t, k.ApplyKustomize(ctx, filepath.Join(root, "manifests")))
	kubeconfig, err := k.APIServer.WriteKubeconfig(k.APIServer.AdminConfig(), "default")
	must(t, err)
	return &installation{k, kubeconfig}
}

// A replica is a server with the rights that the manifests give it and no others.
type replica struct {
	*operator.Operator
	name    string
	token   string // the one it has, as in cluster.Request
	http    string // host:port of its proxy's HTTP
	metrics string // host:port
}

// startReplica starts the n-th server, as the Deployment does but for where it
// listens. Through is where it is
// to find the API server if not where that is, such as a link.Proxy.
func (c *installation) startReplica(t *testing.T, ctx context.Context, n int, through string, args ...string) *replica {
	t.Helper()
	config, err := c.APIServer.ServiceAccountConfig(ctx, serverNamespace, serverAccount)
	must(t, err)
	if through != "" {
		config.Host = "https://" + through
	}
	token, err := cluster.TokenID(config)
	must(t, err)
	kubeconfig, err := c.APIServer.WriteKubeconfig(config, serverNamespace)
	must(t, err)
	args = append(c.deployed(t, ctx), args...)
	at := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port+n)) }
	r := &replica{name: fmt.Sprintf("staticsite-operator-%d", n), token: token, http: at(httpPort), metrics: at(9200)}
	r.Operator, err = operator.Start(ctx, t, operator.Options{
		Name:          r.name,
		Kubeconfig:    kubeconfig,
		XDSAddress:    net.JoinHostPort(netns.Addr(9), strconv.Itoa(9000+n)), // which other hosts reach
		HealthAddress: at(9100),
		HTTPPort:      httpPort + n,
		Args:          append(args, "--metrics-bind-address="+r.metrics, "--zap-log-level=debug"),
		Env:           []string{"POD_NAMESPACE=" + serverNamespace},
	})
	must(t, err)
	must(t, c.apply(ctx, endpointYAML(r.name, r.XDSAddress)))
	return r
}

// endpointYAML makes a server one of the endpoints of its Service, as Kubernetes
// does with the pods of the Deployment.
func endpointYAML(name, address string) string {
	host, port, _ := net.SplitHostPort(address)
	return fmt.Sprintf(`apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s, namespace: %s, labels: {kubernetes.io/service-name: staticsite-operator-xds-svc}}
addressType: IPv4
ports: [{name: grpc-xds, port: %s}]
endpoints: [{addresses: [%s]}]
`, name, serverNamespace, port, host)
}

// deployed returns the arguments that the Deployment gives to the server.
func (c *installation) deployed(t *testing.T, ctx context.Context) []string {
	t.Helper()
	deployment, err := c.Get(ctx, cluster.Named("apps/v1", "Deployment", serverNamespace, "staticsite-operator"))
	must(t, err)
	containers, _, err := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	must(t, err)
	args, _, err := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
	must(t, err)
	if !slices.Contains(args, "--leader-elect") {
		t.Fatalf("the Deployment starts the server with %v", args)
	}
	return args
}

// startEnvoy starts a proxy that knows nothing but where the server is.
func (r *replica) startEnvoy(t *testing.T, ctx context.Context, name string) *proxy {
	t.Helper()
	bootstrap, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: r.XDSAddress, NodeID: name})
	must(t, err)
	e, err := envoy.Start(ctx, t, envoy.Options{Name: name, Bootstrap: bootstrap, Concurrency: 1})
	must(t, err)
	return &proxy{e, r.http}
}

// sent returns how many resources and removals of a type were sent so far.
func (r *replica) sent(ctx context.Context, typ string) (int, error) {
	got, err := counters(ctx, r.metrics)
	return int(got[`staticsite_xds_resources_total{type="`+typ+`"}`]), err
}

// saying matches a log entry by its message.
func saying(message string) func(operator.Entry) bool {
	return func(e operator.Entry) bool { return e.Message == message }
}

// builds returns how often the server has translated and published so far.
func (r *replica) builds() (n int) {
	for _, entry := range r.Log.Entries() {
		if entry.Message == "published" {
			n++
		}
	}
	return n
}

// leads waits until the server says that it writes statuses, after position from
// of its log.
func (r *replica) leads(ctx context.Context, from int) error {
	_, err := r.Log.Wait(ctx, from, saying("leader: this replica writes statuses"))
	return err
}

// A request of one of our servers, by its token; "" is any of them.
func (c *installation) requests(t *testing.T, token string, matches func(cluster.Request) bool) (found []cluster.Request) {
	t.Helper()
	all, err := c.APIServer.Requests()
	must(t, err)
	for _, r := range all {
		if r.User == serverUser && (token == "" || r.Token == token) && matches(r) {
			found = append(found, r)
		}
	}
	return found
}

// statusWritesOf matches the writes of one site's status.
func statusWritesOf(namespace, name string) func(cluster.Request) bool {
	return func(r cluster.Request) bool {
		return r.IsWrite() && r.Resource == "staticsites/status" && r.Object == namespace+"/"+name
	}
}

// kubectl runs it as an administrator and returns what it prints.
func (c *installation) kubectl(ctx context.Context, stdin string, args ...string) (stdout string, err error) {
	path, err := parts.Find("kubectl")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(cmd.Environ(), cluster.KubectlEnv(c.kubeconfig)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, &stderr)
	}
	return string(out), nil
}

// apply applies documents.
func (c *installation) apply(ctx context.Context, documents ...string) error {
	return c.ApplyYAML(ctx, strings.Join(documents, "---\n"))
}

// live makes a site with a Service and one pod, in a namespace, and waits until
// the proxy serves it. Site and Service have the same name.
func (c *installation) live(t *testing.T, ctx context.Context, p *proxy, namespace, name, domain string) *backend.Backend {
	t.Helper()
	pod := startPod(t, 1, name+"-1")
	must(t, c.apply(ctx, namespaceYAML(namespace), serviceYAML(namespace, name, 80),
		sliceYAML(namespace, name, pod.Address()), siteYAML(namespace, name, domain, name, 80)))
	must(t, awaitAnswer(ctx, p.address, domain, http.StatusOK, name+"-1"))
	return pod
}

func namespaceYAML(name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}\n", name)
}

// ref is a StaticSite for Get and Delete.
func ref(namespace, name string) *unstructured.Unstructured {
	return cluster.Named(v1alpha1.GroupVersion.String(), v1alpha1.Kind, namespace, name)
}

func (c *installation) site(ctx context.Context, namespace, name string) (*v1alpha1.StaticSite, error) {
	got, err := c.Get(ctx, ref(namespace, name))
	if err != nil {
		return nil, err
	}
	return typed(got)
}

func typed(u *unstructured.Unstructured) (*v1alpha1.StaticSite, error) {
	site := &v1alpha1.StaticSite{}
	return site, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, site)
}

// verdict is what a status says: status and reason of each condition.
type verdict struct{ Accepted, ResolvedRefs, Programmed, Ready string }

var good = verdict{"True Accepted", "True ResolvedRefs", "True Programmed", "True Ready"}

// verdictOf reads a status. It is an error if one of the conditions is missing or
// out of place, or about another generation than the object's. What follows
// Ready, if anything, is what that one says in the words of other tools.
func verdictOf(site *v1alpha1.StaticSite) (v verdict, err error) {
	if site.Status.ObservedGeneration != site.Generation {
		return v, fmt.Errorf("StaticSite %s/%s: the status is about generation %d, not %d",
			site.Namespace, site.Name, site.Status.ObservedGeneration, site.Generation)
	}
	places := map[string]*string{"Accepted": &v.Accepted, "ResolvedRefs": &v.ResolvedRefs, "Programmed": &v.Programmed, "Ready": &v.Ready}
	var types []string
	for _, c := range site.Status.Conditions {
		if c.ObservedGeneration != site.Generation || c.LastTransitionTime.IsZero() || c.Message == "" {
			return v, fmt.Errorf("StaticSite %s/%s: a condition of generation %d is %+v", site.Namespace, site.Name, site.Generation, c)
		}
		if place := places[c.Type]; place != nil {
			*place = string(c.Status) + " " + c.Reason
		}
		types = append(types, c.Type)
	}
	want := []string{"Accepted", "ResolvedRefs", "Programmed", "Ready", "EndpointsReady"}
	if v.Ready == "False NotReady" {
		want = append(want, "Stalled")
	} else if v.Ready == "Unknown NotReady" {
		want = append(want, "Reconciling")
	}
	if !slices.Equal(types, want) {
		return v, fmt.Errorf("StaticSite %s/%s has the conditions %v, want %v", site.Namespace, site.Name, types, want)
	}
	return v, nil
}

// awaitVerdict waits until a site's status says that of its newest generation.
func (c *installation) awaitVerdict(ctx context.Context, namespace, name string, want verdict) (site *v1alpha1.StaticSite, err error) {
	err = proc.Poll(ctx, func(ctx context.Context) error {
		if site, err = c.site(ctx, namespace, name); err != nil {
			return err
		}
		got, err := verdictOf(site)
		if err == nil && got != want {
			err = fmt.Errorf("StaticSite %s/%s is %+v (%s), want %+v", namespace, name, got, site.Status.Message, want)
		}
		return err
	})
	return site, err
}

// message returns the message of one condition.
func message(site *v1alpha1.StaticSite, typ string) string {
	for _, c := range site.Status.Conditions {
		if c.Type == typ {
			return c.Message
		}
	}
	return ""
}

// says reports what is missing in a text.
func says(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(text, s) {
			t.Errorf("%q does not say %q", text, s)
		}
	}
}
