package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"golang.org/x/sync/errgroup"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/bench/sites"
	"my-company.com/staticsite-operator/e2e/cluster"
	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/object"
)

// objects are the sites in a real API server.
type objects struct {
	cluster    *cluster.Cluster
	kubeconfig string // an administrator's
	typed      *kubernetes.Clientset
	sites      dynamic.NamespaceableResourceInterface
	set        sites.Set     // those that exist
	took       time.Duration // to write them
	turns      int           // changes made so far
}

// newObjects starts an API server that knows the CRD and has no sites.
func (b *bench) newObjects(ctx context.Context, set sites.Set) (*objects, error) {
	c, err := cluster.Start(ctx, b.owner)
	if err != nil {
		return nil, err
	}
	root, err := parts.Root()
	if err != nil {
		return nil, err
	}
	crds, err := filepath.Glob(filepath.Join(root, "manifests", "crd", "*_*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, crd := range crds {
		text, err := os.ReadFile(crd)
		if err != nil {
			return nil, err
		}
		if err := c.ApplyYAML(ctx, string(text)); err != nil {
			return nil, err
		}
	}
	config := c.APIServer.AdminConfig()
	config.ContentType = "application/vnd.kubernetes.protobuf" // 20,000 objects are written
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := c.APIServer.WriteKubeconfig(c.APIServer.AdminConfig(), "default")
	if err != nil {
		return nil, err
	}
	set.N = 0
	return &objects{cluster: c, kubeconfig: kubeconfig, typed: typed, sites: c.Dynamic.Resource(v1alpha1.Resource), set: set}, nil
}

// patience is how long the program may take until it has written what it has to
// write of all sites: a status and two Events each, the Events one after the other.
// It goes by how fast this machine's API server took the three objects of each,
// sixteen at a time and with nothing else to do.
func (o *objects) patience() time.Duration { return hung + writers*o.took }

// writers is how many objects are written at a time.
const writers = 16

// grow adds sites until there are n.
func (o *objects) grow(ctx context.Context, n int) error {
	begun := time.Now()
	defer func() { o.took += time.Since(begun) }()
	old := o.set.N
	o.set.N = n
	for i := old; i < n; i += 100 {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.set.Site(i).Namespace}}
		if _, err := o.typed.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := old; i < n; i++ {
		group.Go(func() error { return o.create(ctx, i) })
	}
	return group.Wait()
}

// create writes the i-th site and what belongs to it.
func (o *objects) create(ctx context.Context, i int) error {
	service, slice, site := o.set.Service(i), o.set.Slice(i, o.set.Address(i)), o.set.Site(i)
	port := service.Ports[0]
	_, err := o.typed.CoreV1().Services(service.Namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: service.Name},
		Spec: corev1.ServiceSpec{
			ClusterIP: corev1.ClusterIPNone, // one less thing to allocate; nobody uses it
			Ports:     []corev1.ServicePort{{Name: port.Name, Port: port.Port}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create Service %s: %w", service.Key, err)
	}
	target, ready := slice.Ports[0], true
	_, err = o.typed.DiscoveryV1().EndpointSlices(slice.Namespace).Create(ctx, &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: slice.Name, Labels: map[string]string{discoveryv1.LabelServiceName: slice.Service}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &target.Name, Port: &target.Port}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{slice.Endpoints[0].Address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}, Zone: &slice.Endpoints[0].Zone,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create EndpointSlice %s: %w", slice.Key, err)
	}
	_, err = o.sites.Namespace(site.Namespace).Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": v1alpha1.Kind,
		"metadata": map[string]any{"name": site.Name},
		"spec": map[string]any{
			"domain":  site.Domain,
			"backend": map[string]any{"serviceName": site.Service, "servicePort": int64(site.Port)},
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create StaticSite %s: %w", site.Key, err)
	}
	return nil
}

// turn gives a site another Service.
func (o *objects) turn(ctx context.Context, site *object.Site) error {
	patch := fmt.Sprintf(`{"spec":{"backend":{"serviceName":%q}}}`, site.Service)
	_, err := o.sites.Namespace(site.Namespace).Patch(ctx, site.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("change StaticSite %s: %w", site.Key, err)
	}
	return nil
}
