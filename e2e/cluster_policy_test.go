package e2e

import (
	"context"
	"maps"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"my-company.com/staticsite-operator/e2e/cluster"
)

// testNetworkPolicy: the policy that the manifests bring is about the server's pods,
// and lets in the pods that the manifests make proxies, and the server's own, at the
// port that the server listens on.
func testNetworkPolicy(t *testing.T, ctx context.Context, c *installation, _ *replica, _ *proxy) {
	got, err := c.Get(ctx, cluster.Named("networking.k8s.io/v1", "NetworkPolicy", serverNamespace, "staticsite-operator"))
	must(t, err)
	policy := &networkingv1.NetworkPolicy{}
	must(t, runtime.DefaultUnstructuredConverter.FromUnstructured(got.Object, policy))
	server, ports := c.pods(t, ctx, serverNamespace, "staticsite-operator")
	edge, _ := c.pods(t, ctx, "ingress", "ssg-envoy-gateway")
	if !maps.Equal(policy.Spec.PodSelector.MatchLabels, server) {
		t.Errorf("it is about pods with %v; the server's have %v", policy.Spec.PodSelector.MatchLabels, server)
	}
	streams := policy.Spec.Ingress[0]
	if from := streams.From[0]; from.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "ingress" || !maps.Equal(from.PodSelector.MatchLabels, edge) {
		t.Errorf("it lets in %v; the proxies have %v", from, edge)
	}
	if from := streams.From[1]; from.NamespaceSelector != nil || !maps.Equal(from.PodSelector.MatchLabels, server) {
		t.Errorf("it lets in %v; the replicas have %v", from, server)
	}
	for i, number := range []int64{9000, 8080} {
		if name := policy.Spec.Ingress[i].Ports[0].Port.StrVal; ports[name] != number {
			t.Errorf("rule %d is about port %q; the server has %v", i, name, ports)
		}
	}
}

// pods returns the labels of a Deployment's pods, and their ports by name.
func (c *installation) pods(t *testing.T, ctx context.Context, namespace, deployment string) (labels map[string]string, ports map[string]int64) {
	t.Helper()
	got, err := c.Get(ctx, cluster.Named("apps/v1", "Deployment", namespace, deployment))
	must(t, err)
	labels, _, err = unstructured.NestedStringMap(got.Object, "spec", "template", "metadata", "labels")
	must(t, err)
	containers, _, err := unstructured.NestedSlice(got.Object, "spec", "template", "spec", "containers")
	must(t, err)
	list, _, err := unstructured.NestedSlice(containers[0].(map[string]any), "ports")
	must(t, err)
	ports = make(map[string]int64)
	for _, port := range list {
		p := port.(map[string]any)
		ports[p["name"].(string)] = p["containerPort"].(int64)
	}
	return labels, ports
}
