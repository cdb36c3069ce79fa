package cluster

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"my-company.com/staticsite-operator/e2e/parts"
)

const widgets = `
# Its object stands before its kind: Apply knows the order.
apiVersion: example.com/v1
kind: Widget
metadata: {name: first, namespace: factory}
spec: {size: 3}
---
apiVersion: v1
kind: Namespace
metadata: {name: factory}
---
# nothing but a comment
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer, maximum: 10}}}}
`

func testApply(t *testing.T, ctx context.Context, c *Cluster) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "widgets.yaml"), []byte(widgets), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte("resources: [widgets.yaml]\nlabels: [{pairs: {made-by: kustomize}}]\n"), 0o644))

	must(t, c.ApplyYAML(ctx, widgets))
	must(t, c.ApplyKustomize(ctx, dir))
	widget, err := c.Get(ctx, Named("example.com/v1", "Widget", "factory", "first"))
	must(t, err)
	if widget.GetLabels()["made-by"] != "kustomize" {
		t.Errorf("labels are %v", widget.GetLabels())
	}

	err = c.ApplyYAML(ctx, "{apiVersion: example.com/v1, kind: Widget, metadata: {name: big, namespace: factory}, spec: {size: 11}}")
	if err == nil || !strings.Contains(err.Error(), "Widget factory/big") || !strings.Contains(err.Error(), "spec.size") {
		t.Errorf("an invalid object: %v", err)
	}
	must(t, c.Delete(ctx, widget))
	if _, err := c.Get(ctx, widget); !apierrors.IsNotFound(err) {
		t.Errorf("deleted, but: %v", err)
	}
}

func testKubeconfig(t *testing.T, ctx context.Context, c *Cluster) {
	path, err := c.APIServer.WriteKubeconfig(c.APIServer.AdminConfig(), "kube-system")
	must(t, err)
	kubectl, err := parts.Find("kubectl")
	must(t, err)
	cmd := exec.CommandContext(ctx, kubectl, "create", "configmap", "page")
	cmd.Env = append(cmd.Environ(), KubectlEnv(path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := c.Get(ctx, Named("v1", "ConfigMap", "kube-system", "page")); err != nil {
		t.Error(err)
	}
}
