package cluster

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"my-company.com/staticsite-operator/e2e/link"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/proc"
)

func TestMain(m *testing.M) { netns.Main(m) }

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, ctx context.Context) *Cluster {
	t.Helper()
	c, err := Start(ctx, t)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func TestKilledAndRestarted(t *testing.T) {
	ctx := bounded(t)
	c := start(t, ctx)
	must(t, c.ApplyYAML(ctx, "{apiVersion: v1, kind: Namespace, metadata: {name: before}}"))

	c.APIServer.Kill9()
	if err := c.ApplyYAML(ctx, "{apiVersion: v1, kind: Namespace, metadata: {name: during}}"); err == nil {
		t.Error("a killed API server accepted a write")
	}
	c.Etcd.Kill9()
	must(t, c.Etcd.Restart(ctx))
	must(t, c.APIServer.Restart(ctx))

	if _, err := c.Get(ctx, Named("v1", "Namespace", "", "before")); err != nil {
		t.Errorf("what was written before is lost: %v", err)
	}
	if _, err := c.Get(ctx, Named("v1", "Namespace", "", "during")); !apierrors.IsNotFound(err) {
		t.Errorf("what was refused is there: %v", err)
	}
}

// TestClients needs a cluster only once.
func TestClients(t *testing.T) {
	ctx := bounded(t)
	c := start(t, ctx)
	t.Run("Apply", func(t *testing.T) { testApply(t, ctx, c) })
	t.Run("ServiceAccountHasItsRightsAndNoOthers", func(t *testing.T) { testServiceAccount(t, ctx, c) })
	t.Run("KubeconfigWorks", func(t *testing.T) { testKubeconfig(t, ctx, c) })
}

// TestGone brings about the 410 that a watcher sees after etcd forgot the past.
func TestGone(t *testing.T) {
	ctx := bounded(t)
	c := start(t, ctx)
	must(t, c.ApplyYAML(ctx, "{apiVersion: v1, kind: ConfigMap, metadata: {name: page}, data: {title: old}}"))
	page, err := c.Get(ctx, Named("v1", "ConfigMap", "", "page"))
	must(t, err)
	old := page.GetResourceVersion()
	must(t, c.ApplyYAML(ctx, "{apiVersion: v1, kind: ConfigMap, metadata: {name: page}, data: {title: new}}"))

	must(t, c.Etcd.Compact(ctx))
	c.APIServer.Kill9()
	must(t, c.APIServer.Restart(ctx))

	watch, err := c.Dynamic.Resource(configMaps).Namespace("default").Watch(ctx, metav1.ListOptions{ResourceVersion: old})
	if err == nil {
		defer watch.Stop()
		event := <-watch.ResultChan()
		err = apierrors.FromObject(event.Object)
	}
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("a watch from before the compaction: %v, want 410", err)
	}
}

// TestStaleAPIServer puts a second API server on the same etcd and freezes its
// link: it answers from its cache, and does not know what is new.
func TestStaleAPIServer(t *testing.T) {
	ctx := bounded(t)
	c := start(t, ctx)
	must(t, c.ApplyYAML(ctx, "{apiVersion: v1, kind: ConfigMap, metadata: {name: page}, data: {title: old}}"))
	proxy, err := link.Listen("127.0.0.1:0", strings.TrimPrefix(c.Etcd.URL, "http://"))
	must(t, err)
	t.Cleanup(func() { proxy.Close() })
	second, err := StartAPIServer(ctx, t, "http://"+proxy.Addr(), Options{Credentials: c.APIServer.Credentials})
	must(t, err)
	stale, err := dynamic.NewForConfig(second.AdminConfig())
	must(t, err)
	must(t, awaitTitle(ctx, stale, "old"))

	proxy.Freeze()
	must(t, c.ApplyYAML(ctx, "{apiVersion: v1, kind: ConfigMap, metadata: {name: page}, data: {title: new}}"))
	must(t, awaitTitle(ctx, c.Dynamic, "new")) // the cache of the first one has it by now
	if got, err := cachedTitle(ctx, stale); err != nil || got != "old" {
		t.Errorf("frozen: %q, %v; want the old one", got, err)
	}
	proxy.Thaw()
	must(t, awaitTitle(ctx, stale, "new"))
}

// cachedTitle is the title as the API server's cache has it.
func cachedTitle(ctx context.Context, client dynamic.Interface) (string, error) {
	list, err := client.Resource(configMaps).Namespace("default").
		List(ctx, metav1.ListOptions{ResourceVersion: "0", FieldSelector: "metadata.name=page"})
	if err != nil {
		return "", err
	}
	if len(list.Items) != 1 {
		return "", fmt.Errorf("%d objects named page", len(list.Items))
	}
	title, _, err := unstructured.NestedString(list.Items[0].Object, "data", "title")
	return title, err
}

func awaitTitle(ctx context.Context, client dynamic.Interface, want string) error {
	return proc.Poll(ctx, func(ctx context.Context) error {
		title, err := cachedTitle(ctx, client)
		if err == nil && title != want {
			err = fmt.Errorf("the title is %q, want %q", title, want)
		}
		return err
	})
}
