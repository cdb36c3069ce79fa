package lookup

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	"sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	clienttesting "k8s.io/client-go/testing"
)

// Without the labels of its namespace a site would seem to be kept from its own
// domain.
func TestPoliciesAreReadWithTheLabelsOrNotAtAll(t *testing.T) {
	namespaces := corev1.SchemeGroupVersion.WithResource("namespaces")
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		v1alpha1.Resource: "StaticSiteList", v1alpha1.PolicyResource: "SiteDomainPolicyList", namespaces: "NamespaceList",
	}, read(t, `
apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {namespace: docs, name: a}
spec: {domain: a.example.com, backend: {serviceName: web, servicePort: 80}}`), read(t, `
apiVersion: platform.my-company.com/v1alpha1
kind: SiteDomainPolicy
metadata: {name: ours}
spec: {mode: Reserve, domains: [{suffix: example.com}], namespaceSelector: {matchLabels: {team: docs}}}`), read(t, `
apiVersion: v1
kind: Namespace
metadata: {name: docs, labels: {team: docs}}`))
	denied := true
	client.PrependReactor("list", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
		return denied, nil, apierrors.NewForbidden(namespaces.GroupResource(), "", nil)
	})
	l := New(client, "https://cluster")
	if err := l.Site(t.Context(), object.Key{Namespace: "docs", Name: "a"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Policies(t.Context()); err == nil || len(l.Objects) != 1 {
		t.Errorf("error %v, read %v, want the site only", err, l.Objects)
	}
	denied = false
	if err := l.Policies(t.Context()); err != nil || len(l.Objects) != 3 {
		t.Errorf("error %v, read %v, want site, policy and namespace", err, l.Objects)
	}
}

func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = u.UnmarshalJSON(asJSON)
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}
