package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/cluster"
	"my-company.com/staticsite-operator/e2e/proc"
)

// testNoProxies: without a proxy nobody can say whether a site is served.
func testNoProxies(t *testing.T, ctx context.Context, c *installation) {
	pod := startPod(t, 4, "lonely-1")
	must(t, c.apply(ctx, namespaceYAML("lonely"), serviceYAML("lonely", "lonely", 80), sliceYAML("lonely", "lonely", pod.Address()),
		siteYAML("lonely", "lonely", "lonely.example.com", "lonely", 80)))
	site, err := c.awaitVerdict(ctx, "lonely", "lonely", verdict{"True Accepted", "True ResolvedRefs", "Unknown NoProxies", "Unknown NotReady"})
	must(t, err)
	if site.Status.Phase != "Pending" || strings.Join(site.Status.Domains, ",") != "lonely.example.com" {
		t.Errorf("phase %s, holds %v", site.Status.Phase, site.Status.Domains)
	}
	says(t, site.Status.Message, "no serving proxy is connected")
	c.expectTools(t, ctx, "lonely", "lonely", saysWait, "no serving proxy is connected")
}

// testFirstProxy: the same site, after the first proxy has come.
func testFirstProxy(t *testing.T, ctx context.Context, c *installation, p *proxy) {
	site, err := c.awaitVerdict(ctx, "lonely", "lonely", good)
	must(t, err)
	if site.Status.Phase != "Provisioned" || site.Status.Message != "acknowledged by every serving proxy" {
		t.Errorf("phase %s, message %q", site.Status.Phase, site.Status.Message)
	}
	must(t, c.Delete(ctx, ref("lonely", "lonely")))
	must(t, awaitAnswer(ctx, p.address, "lonely.example.com", http.StatusNotFound, ""))
	must(t, p.awaitNoCluster(ctx, "lonely_lonely_80_cluster"))
}

// testFirstVisit: the first status that anybody can see is complete.
func testFirstVisit(t *testing.T, ctx context.Context, c *installation, _ *replica, _ *proxy) {
	must(t, c.apply(ctx, namespaceYAML("visit")))
	watch, err := c.Dynamic.Resource(v1alpha1.Resource).Namespace("visit").Watch(ctx, metav1.ListOptions{})
	must(t, err)
	defer watch.Stop()
	must(t, c.apply(ctx, siteYAML("visit", "new", "new.example.com", "not-there-yet", 80)))
	for event := range watch.ResultChan() {
		got, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			t.Fatalf("event %s: %v", event.Type, event.Object)
		}
		site, err := typed(got)
		must(t, err)
		if site.Status.ObservedGeneration == -1 { // by default: nobody was there
			continue
		}
		if _, err := verdictOf(site); err != nil {
			t.Error(err)
		}
		if site.Status.Phase == "" || site.Status.Message == "" || strings.Join(site.Status.Domains, ",") != "new.example.com" {
			t.Errorf("first visit: %+v", site.Status)
		}
		return
	}
	t.Fatal("the watch ended without a status")
}

// testMissingReferences: a site says which of the things it names is missing, and
// heals when it appears.
func testMissingReferences(t *testing.T, ctx context.Context, c *installation, _ *replica, p *proxy) {
	missing := func(reason string) verdict {
		return verdict{"True Accepted", "False " + reason, "True Programmed", "False NotReady"}
	}
	must(t, c.apply(ctx, namespaceYAML("refs"), siteYAML("refs", "waiting", "waiting.example.com", "late", 8080)))
	site, err := c.awaitVerdict(ctx, "refs", "waiting", missing("ServiceNotFound"))
	must(t, err)
	says(t, message(site, "ResolvedRefs"), "refs/late", "spec.backend.serviceName")
	must(t, awaitAnswer(ctx, p.address, "waiting.example.com", http.StatusServiceUnavailable, ""))

	must(t, c.apply(ctx, serviceYAML("refs", "late", 80)))
	site, err = c.awaitVerdict(ctx, "refs", "waiting", missing("PortNotFound"))
	must(t, err)
	says(t, message(site, "ResolvedRefs"), "refs/late", "8080", "80", "spec.backend.servicePort")

	pod := startPod(t, 1, "late-1")
	must(t, c.apply(ctx, serviceYAML("refs", "late", 8080), sliceYAML("refs", "late", pod.Address())))
	_, err = c.awaitVerdict(ctx, "refs", "waiting", good)
	must(t, err)
	must(t, awaitAnswer(ctx, p.address, "waiting.example.com", http.StatusOK, "late-1"))

	must(t, c.Delete(ctx, cluster.Named("v1", "Service", "refs", "late")))
	_, err = c.awaitVerdict(ctx, "refs", "waiting", missing("ServiceNotFound"))
	must(t, err)
}

// testStatusWrites: what is written to a status causes neither a build nor, unless
// it is wrong, another write; and it leaves the specification alone.
func testStatusWrites(t *testing.T, ctx context.Context, c *installation, r *replica, p *proxy) {
	c.live(t, ctx, p, "calm", "calm", "calm.example.com")
	c.live(t, ctx, p, "calm", "other", "other.example.com")
	site, err := c.awaitVerdict(ctx, "calm", "calm", good)
	must(t, err)
	_, err = c.awaitVerdict(ctx, "calm", "other", good)
	must(t, err)
	builds, writes := r.builds(), len(c.requests(t, "", statusWritesOf("calm", "calm")))

	// Somebody writes nonsense into it, twice; each time it is put right.
	for _, nonsense := range []string{"first", "second"} {
		patch := fmt.Sprintf(`{"status": {"message": %q, "phase": "Error"}}`, nonsense)
		_, err := c.Dynamic.Resource(v1alpha1.Resource).Namespace("calm").
			Patch(ctx, "calm", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		must(t, err)
		must(t, proc.Poll(ctx, func(ctx context.Context) error {
			now, err := c.site(ctx, "calm", "calm")
			if err == nil && (now.Status.Message != site.Status.Message || now.Status.Phase != site.Status.Phase) {
				err = fmt.Errorf("message %q, phase %s", now.Status.Message, now.Status.Phase)
			}
			return err
		}))
	}
	// What is no concern of ours, in it and in what it names.
	for _, o := range []*unstructured.Unstructured{ref("calm", "calm"), cluster.Named("v1", "Service", "calm", "calm")} {
		o.SetLabels(map[string]string{"cost-center": "42"})
		must(t, c.label(ctx, o))
	}

	// The next build is that of the next change, and so is the next write.
	second := startPod(t, 2, "other-2")
	must(t, c.apply(ctx, sliceYAML("calm", "other", second.Address())))
	must(t, awaitAnswer(ctx, p.address, "other.example.com", http.StatusOK, "other-2"))
	if got := r.builds() - builds; got != 1 {
		t.Errorf("%d builds for one change, four status writes and two labels", got)
	}
	must(t, c.Delete(ctx, cluster.Named("v1", "Service", "calm", "other")))
	_, err = c.awaitVerdict(ctx, "calm", "other", verdict{"True Accepted", "False ServiceNotFound", "True Programmed", "False NotReady"})
	must(t, err)
	if got := len(c.requests(t, "", statusWritesOf("calm", "calm"))) - writes; got != 2 {
		t.Errorf("%d status writes for two that were wrong", got)
	}

	now, err := c.Get(ctx, ref("calm", "calm"))
	must(t, err)
	if now.GetGeneration() != site.Generation {
		t.Errorf("generation %d became %d", site.Generation, now.GetGeneration())
	}
	for _, owner := range now.GetManagedFields() {
		if owner.Manager == "staticsite-operator" && owner.Subresource != "status" {
			t.Errorf("we own fields outside of the status: %s", owner.FieldsV1)
		}
	}
}

// label puts labels on an object that exists.
func (c *installation) label(ctx context.Context, o *unstructured.Unstructured) error {
	now, err := c.Get(ctx, o)
	if err != nil {
		return err
	}
	o = o.DeepCopy()
	o.Object["spec"] = now.Object["spec"] // what is applied and does not name a field gives it up
	delete(o.Object["spec"].(map[string]any), "clusterIP")
	return c.Apply(ctx, o)
}

// testEndpoints: the last pod of a site goes, so readers get 503 and its owner reads
// why. That the site is configured everywhere stays true.
func testEndpoints(t *testing.T, ctx context.Context, c *installation, _ *replica, p *proxy) {
	pod := c.live(t, ctx, p, "pods", "site", "pods.example.com")
	must(t, c.wait(ctx, "pods", "site", "condition=EndpointsReady", "30s"))
	must(t, c.apply(ctx, sliceYAML("pods", "site")))
	must(t, awaitAnswer(ctx, p.address, "pods.example.com", http.StatusServiceUnavailable, ""))
	must(t, c.wait(ctx, "pods", "site", "condition=EndpointsReady=false", "60s"))
	must(t, c.wait(ctx, "pods", "site", "condition=Ready", "0s"))
	c.expectTools(t, ctx, "pods", "site", saysDone)
	site, err := c.awaitVerdict(ctx, "pods", "site", good)
	must(t, err)
	says(t, site.Status.Message, "no ready endpoint", "503")
	c.awaitEvents(t, ctx, "pods", "site", "Normal Accepted", "Normal Programmed", "Warning NoEndpoints")

	must(t, c.apply(ctx, sliceYAML("pods", "site", pod.Address())))
	must(t, awaitAnswer(ctx, p.address, "pods.example.com", http.StatusOK, "site-1"))
	must(t, c.wait(ctx, "pods", "site", "condition=EndpointsReady", "30s"))
	c.awaitEvents(t, ctx, "pods", "site", "Normal Accepted", "Normal Programmed", "Warning NoEndpoints", "Normal EndpointsReady")
}

// testKubectl is what people type.
func testKubectl(t *testing.T, ctx context.Context, c *installation, _ *replica, p *proxy) {
	c.live(t, ctx, p, "people", "handbook", "handbook.example.com")
	c.live(t, ctx, p, "people", "wiki", "wiki.example.com")
	_, err := c.kubectl(ctx, "", "wait", "--for=condition=Ready", "--timeout=30s", "-n", "people", "ssite/handbook")
	must(t, err)

	out, err := c.kubectl(ctx, "", "get", "ssite", "-n", "people")
	must(t, err)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if got := strings.Fields(lines[0]); fmt.Sprint(got) != "[NAME DOMAIN SERVICE PORT STATUS READY ENDPOINTS AGE]" {
		t.Errorf("columns %v", got)
	}
	if len(lines) != 3 || fmt.Sprint(strings.Fields(lines[1])[:7]) != "[handbook handbook.example.com handbook 80 Provisioned True True]" {
		t.Errorf("kubectl get ssite printed\n%s", out)
	}

	out, err = c.kubectl(ctx, "", "get", "sites", "-A", "--field-selector=spec.domain=wiki.example.com", "-o", "json")
	must(t, err)
	var found v1alpha1.StaticSiteList
	must(t, json.Unmarshal([]byte(out), &found))
	if len(found.Items) != 1 || found.Items[0].Name != "wiki" {
		t.Errorf("who has wiki.example.com? %s", out)
	}
}
