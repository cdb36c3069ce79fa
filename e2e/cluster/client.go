package cluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	sigsyaml "sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// fieldManager owns what tests apply, as "kubectl" owns what people apply.
const fieldManager = "e2e"

// Client writes objects of any kind as a person would.
type Client struct {
	// Dynamic is for whatever has no method here.
	Dynamic dynamic.Interface

	mapper *restmapper.DeferredDiscoveryRESTMapper
}

// NewClient returns a client with the rights that config has.
func NewClient(config *rest.Config) (*Client, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	discover, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &Client{
		Dynamic: client,
		mapper:  restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discover)),
	}, nil
}

// Parse reads the objects of a YAML stream; "---" separates them.
func Parse(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read YAML: %w", err)
		}
		object := &unstructured.Unstructured{}
		if err := sigsyaml.Unmarshal(document, &object.Object); err != nil {
			return nil, fmt.Errorf("read YAML: %w", err)
		}
		if len(object.Object) > 0 { // not only comments
			objects = append(objects, object)
		}
	}
}

// ApplyYAML applies the objects of a YAML stream; see [Client.Apply].
func (c *Client) ApplyYAML(ctx context.Context, text string) error {
	objects, err := Parse([]byte(text))
	if err != nil {
		return err
	}
	return c.Apply(ctx, objects...)
}

// KubectlEnv lets kubectl use a kubeconfig, and keep beside it what it learns of the
// server: elsewhere it keeps that by port, which another test's server had before.
func KubectlEnv(kubeconfig string) []string {
	return []string{"KUBECONFIG=" + kubeconfig, "KUBECACHEDIR=" + filepath.Dir(kubeconfig)}
}

// ApplyKustomize applies what `kubectl kustomize dir` prints; see [Client.Apply].
func (c *Client) ApplyKustomize(ctx context.Context, dir string) error {
	kubectl, err := parts.Find("kubectl")
	if err != nil {
		return err
	}
	text, err := exec.CommandContext(ctx, kubectl, "kustomize", dir).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("kubectl kustomize %s: %w: %s", dir, err, exit.Stderr)
	}
	if err != nil {
		return fmt.Errorf("kubectl kustomize %s: %w", dir, err)
	}
	return c.ApplyYAML(ctx, string(text))
}

// Apply applies objects as `kubectl apply --server-side --force-conflicts` does, in
// the order given, except that namespaces and CRDs go first. It returns once the
// CRDs among them are established. The first refusal ends it.
func (c *Client) Apply(ctx context.Context, objects ...*unstructured.Unstructured) error {
	var first, rest []*unstructured.Unstructured
	for _, object := range objects {
		switch object.GetKind() {
		case "Namespace", "CustomResourceDefinition":
			first = append(first, object)
		default:
			rest = append(rest, object)
		}
	}
	for _, object := range first {
		if err := c.apply(ctx, object); err != nil {
			return err
		}
	}
	for _, object := range first {
		if object.GetKind() == "CustomResourceDefinition" {
			if err := c.waitEstablished(ctx, object); err != nil {
				return err
			}
		}
	}
	for _, object := range rest {
		if err := c.apply(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) apply(ctx context.Context, object *unstructured.Unstructured) error {
	resource, err := c.resource(object)
	if err != nil {
		return err
	}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	if _, err := resource.Apply(ctx, object.GetName(), object, options); err != nil {
		return fmt.Errorf("apply %s: %w", nameOf(object), err)
	}
	return nil
}

// Named is an object that has no more than [Client.Get] and [Client.Delete] need.
func Named(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(apiVersion)
	object.SetKind(kind)
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

// Get returns the object of that kind, namespace and name as it is now.
func (c *Client) Get(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource, err := c.resource(object)
	if err != nil {
		return nil, err
	}
	now, err := resource.Get(ctx, object.GetName(), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", nameOf(object), err)
	}
	return now, nil
}

// Delete deletes objects, by kind, namespace and name, in the order given.
func (c *Client) Delete(ctx context.Context, objects ...*unstructured.Unstructured) error {
	for _, object := range objects {
		resource, err := c.resource(object)
		if err != nil {
			return err
		}
		if err := resource.Delete(ctx, object.GetName(), metav1.DeleteOptions{}); err != nil {
			return fmt.Errorf("delete %s: %w", nameOf(object), err)
		}
	}
	return nil
}

// resource returns the end point for objects of this one's kind and namespace.
func (c *Client) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := c.mapping(kind)
	if err != nil {
		return nil, fmt.Errorf("find the resource of %s: %w", nameOf(object), err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return c.Dynamic.Resource(mapping.Resource), nil
	}
	namespace := object.GetNamespace()
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return c.Dynamic.Resource(mapping.Resource).Namespace(namespace), nil
}

func (c *Client) mapping(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) { // a CRD may have come since
		c.mapper.Reset()
		mapping, err = c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	return mapping, err
}

func (c *Client) waitEstablished(ctx context.Context, crd *unstructured.Unstructured) error {
	return proc.Poll(ctx, func(ctx context.Context) error {
		now, err := c.Get(ctx, crd)
		if err != nil {
			return err
		}
		conditions, _, err := unstructured.NestedSlice(now.Object, "status", "conditions")
		if err != nil {
			return err
		}
		for _, condition := range conditions {
			if c, ok := condition.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
				return nil
			}
		}
		return fmt.Errorf("%s is not established", nameOf(crd))
	})
}

// nameOf is how errors name an object: kind, namespace if any, name.
func nameOf(object *unstructured.Unstructured) string {
	if namespace := object.GetNamespace(); namespace != "" {
		return object.GetKind() + " " + namespace + "/" + object.GetName()
	}
	return object.GetKind() + " " + object.GetName()
}
