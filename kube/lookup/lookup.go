package lookup

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"my-company.com/staticsite-operator/decode"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/hostname"

	corev1 "k8s.io/api/core/v1"

	discoveryv1 "k8s.io/api/discovery/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// pageSize is how many objects are asked for at once.
const pageSize = 500

// Lookup reads a few objects of a cluster, once, for a person who asks about
// them. It needs the right to list them and no other: that is what the server
// has, so that it works as its ServiceAccount too.
type Lookup struct {
	Objects  map[object.Ref]object.Object
	Statuses map[object.Key]v1alpha1.StaticSiteStatus

	// Others are the sites that were seen on the way, by name, with the domain
	// that they name. They are no part of Objects.
	Others map[object.Key]string

	client dynamic.Interface
	server string // the API server's URL, for errors
}

// New returns one that has read nothing.
func New(client dynamic.Interface, server string) *Lookup {
	return &Lookup{
		Objects:  make(map[object.Ref]object.Object),
		Statuses: make(map[object.Key]v1alpha1.StaticSiteStatus),
		Others:   make(map[object.Key]string),
		client:   client, server: server,
	}
}

// Site reads the site of that name, if there is one. If there is none, it reads
// the names of the others in its namespace.
func (l *Lookup) Site(ctx context.Context, key object.Key) error {
	_, err := l.sites(ctx, key.Namespace, named(key.Name), every)
	if _, found := l.Objects[object.Ref{Kind: object.KindSite, Key: key}]; err == nil && !found {
		_, err = l.sites(ctx, key.Namespace, metav1.ListOptions{}, none)
	}
	return err
}

// SitesOf reads the sites that claim a domain. Normally those are the ones whose
// specification names it in normal form. Unless one of them has it in its status,
// somebody else may, or may have written it otherwise; then all sites are looked
// through, at the cost of a list of them.
func (l *Lookup) SitesOf(ctx context.Context, domain string) error {
	selector := fields.OneTermEqualSelector("spec.domain", domain).String()
	held, err := l.sites(ctx, metav1.NamespaceAll, metav1.ListOptions{FieldSelector: selector}, every)
	if apierrors.IsBadRequest(err) || err == nil && !slices.Contains(held, domain) { // A bad request: an older CRD has no such selector.
		_, err = l.sites(ctx, metav1.NamespaceAll, metav1.ListOptions{}, claiming(domain))
	}
	return err
}

// Backend reads a Service, if it exists, and its EndpointSlices.
func (l *Lookup) Backend(ctx context.Context, service object.Key) error {
	if err := l.list(ctx, corev1.SchemeGroupVersion.WithResource("services"), service.Namespace, named(service.Name), l.take(object.KindService)); err != nil {
		return err
	}
	ofService := metav1.ListOptions{LabelSelector: labels.Set{discoveryv1.LabelServiceName: service.Name}.String()}
	return l.list(ctx, discoveryv1.SchemeGroupVersion.WithResource("endpointslices"), service.Namespace, ofService, l.take(object.KindSlice))
}

// Policies reads the SiteDomainPolicies, if there are any, and the labels of the
// namespaces of the sites that were read. With an error it has read none: some of
// them, or all without these labels, would mean something else.
func (l *Lookup) Policies(ctx context.Context) error {
	err := l.policies(ctx)
	if err != nil {
		maps.DeleteFunc(l.Objects, func(ref object.Ref, _ object.Object) bool { return ref.Kind == object.KindPolicy })
	}
	return err
}

func (l *Lookup) policies(ctx context.Context) error {
	err := l.list(ctx, v1alpha1.PolicyResource, metav1.NamespaceAll, metav1.ListOptions{}, l.take(object.KindPolicy))
	if apierrors.IsNotFound(err) {
		return nil // They are not installed.
	}
	if err != nil {
		return err
	}
	for site := range l.Statuses {
		if err := l.list(ctx, corev1.SchemeGroupVersion.WithResource("namespaces"), metav1.NamespaceAll, named(site.Namespace), l.take(object.KindNamespace)); err != nil {
			return err
		}
	}
	return nil
}

// take returns what keeps the objects of a kind that can be read. One that cannot is
// not served either: the server logs why.
func (l *Lookup) take(kind object.Kind) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) {
		if read, err := decode.FromCluster(kind, u.Object); err == nil {
			l.Objects[read.Ref()] = read
		}
	}
}

func named(name string) metav1.ListOptions {
	return metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String()}
}

// Which of the sites in a list are read; the others are only noted.
func every(*object.Site) bool { return true }
func none(*object.Site) bool  { return false }

func claiming(domain string) func(*object.Site) bool {
	return func(s *object.Site) bool {
		named, err := hostname.Parse(s.Domain)
		return err == nil && named == domain || slices.Contains(s.Held, domain)
	}
}

// sites reads those of a list that are wanted, and returns what they hold.
func (l *Lookup) sites(ctx context.Context, namespace string, which metav1.ListOptions, wanted func(*object.Site) bool) (held []string, err error) {
	err = l.list(ctx, v1alpha1.Resource, namespace, which, func(u *unstructured.Unstructured) {
		read, problem := decode.FromCluster(object.KindSite, u.Object)
		if problem != nil {
			return // It is not served either: the server logs why.
		}
		site := read.(*object.Site)
		if !wanted(site) {
			l.Others[site.Key] = site.Domain
			return
		}
		l.Objects[site.Ref()] = site
		held = append(held, site.Held...)
		status := v1alpha1.StaticSite{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"status": u.Object["status"]}, &status); err == nil {
			l.Statuses[site.Key] = status.Status
		}
	})
	return held, err
}

// list reads a list page by page. Its error says what is missing: the right, the
// kind, or an answer.
func (l *Lookup) list(ctx context.Context, resource schema.GroupVersionResource, namespace string, which metav1.ListOptions, each func(*unstructured.Unstructured)) error {
	which.Limit = pageSize
	for {
		page, err := l.client.Resource(resource).Namespace(namespace).List(ctx, which)
		if err != nil {
			return l.explain(resource, namespace, err)
		}
		for i := range page.Items {
			each(&page.Items[i])
		}
		if which.Continue = page.GetContinue(); which.Continue == "" {
			return nil
		}
	}
}

func (l *Lookup) explain(resource schema.GroupVersionResource, namespace string, err error) error {
	what, where := resource.GroupResource().String(), "in namespace "+namespace
	if namespace == metav1.NamespaceAll {
		where = "in all namespaces"
	}
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("this account has no right to list %s %s: ask for it, or about a site where it has (NAMESPACE/NAME), or use another account (--kubeconfig): %w", what, where, err)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%s has no kind %s: install it (kubectl apply -k manifests), or use another cluster (--kubeconfig): %w", l.server, what, err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s does not accept these credentials: log in again, or use others (--kubeconfig): %w", l.server, err)
	case apierrors.IsBadRequest(err):
		return err
	}
	return fmt.Errorf("%s did not answer when asked for %s %s (--kubeconfig names another cluster): %w", l.server, what, where, err)
}
