package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/cluster"
	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/readme"
)

// TestStatusSession plays the session of docs/status.md on a cluster: what the page
// tells to type is typed, and what the page shows must come.
func TestStatusSession(t *testing.T) {
	ctx := bounded(t, time.Minute)
	root, err := parts.Root()
	must(t, err)
	kubectl, err := parts.Find("kubectl")
	must(t, err)
	blocks, err := readme.Page(filepath.Join(root, "docs", "status.md"))
	must(t, err)

	c := install(t, ctx)
	r := c.startReplica(t, ctx, 1, "")
	p := r.startEnvoy(t, ctx, "envoy")
	pod := startPod(t, 1, "docs-main-1")
	must(t, c.apply(ctx, namespaceYAML("docs"), serviceYAML("docs", "docs-main-svc", 80), sliceYAML("docs", "docs-main-svc", pod.Address()), firstDesign))
	must(t, awaitAnswer(ctx, p.address, "docs.my-company.com", http.StatusOK, "docs-main-1"))

	for _, block := range blocks {
		command, want := readme.Command(block)
		cmd := exec.CommandContext(ctx, "bash", "-c", command)
		cmd.Env = append(append(cmd.Environ(), cluster.KubectlEnv(c.kubeconfig)...), "PATH="+filepath.Dir(kubectl)+":/usr/bin:/bin")
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != strings.TrimSpace(want) {
			t.Errorf("%s\nprints (%v)\n%s\nand docs/status.md shows\n%s", command, err, out, want)
		}
	}
	if len(blocks) < 5 {
		t.Errorf("only %d commands were found in docs/status.md", len(blocks))
	}

	// And the settings of Argo CD can be applied as it says, beside others.
	must(t, c.apply(ctx, namespaceYAML("argocd"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm, namespace: argocd}, data: {url: 'https://argocd.my-company.com'}}\n"))
	_, err = c.kubectl(ctx, "", "apply", "--server-side", "-f", filepath.Join(root, "manifests", "argocd", "argocd-cm.yaml"))
	must(t, err)
	settings, err := c.kubectl(ctx, "", "get", "cm", "argocd-cm", "-n", "argocd", "-o", "jsonpath={.data}")
	must(t, err)
	says(t, settings, "https://argocd.my-company.com", "health.platform.my-company.com_StaticSite")
}
