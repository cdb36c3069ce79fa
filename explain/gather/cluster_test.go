package gather

import (
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/explain"
	"my-company.com/staticsite-operator/kube/lookup"
	"my-company.com/staticsite-operator/translate"
)

// A cluster that cannot be reached is a fact, and what can be done instead is said.
func TestAClusterThatCannotBeReached(t *testing.T) {
	target, err := explain.ParseTarget("docs.example.com")
	if err != nil {
		t.Fatal(err)
	}
	facts, err := Facts(t.Context(), target, translate.Options{}, Sources{Kubeconfig: filepath.Join(t.TempDir(), "away")})
	if err != nil || !strings.Contains(facts.Unread, "name a folder with --sites") || facts.Source != "the cluster" {
		t.Errorf("%v, unread because %q, source %q", err, facts.Unread, facts.Source)
	}
}

// Each right that is missing takes away what it would have let us read, and no more.
// (That a real API server answers so is seen end to end, with a ServiceAccount.)
func TestWhatOneMayNotReadIsSaid(t *testing.T) {
	resources := map[string]schema.GroupVersionResource{
		"staticsites": v1alpha1.Resource, "sitedomainpolicies": v1alpha1.PolicyResource,
		"services":       corev1.SchemeGroupVersion.WithResource("services"),
		"namespaces":     corev1.SchemeGroupVersion.WithResource("namespaces"),
		"endpointslices": discoveryv1.SchemeGroupVersion.WithResource("endpointslices"),
	}
	for _, c := range []struct {
		target, denied string
		objects        int
		said           func(explain.Facts) string
		want           string
	}{
		{"docs/docs", "", 3, func(f explain.Facts) string { return f.Unread + f.BackendUnread + strings.Join(f.Notes, "") }, ""},
		{"docs.example.com", "", 3, func(f explain.Facts) string { return f.Unread + f.BackendUnread + strings.Join(f.Notes, "") }, ""},
		{"docs/docs", "staticsites", 0, func(f explain.Facts) string { return f.Unread }, "forbidden"},
		{"docs.example.com", "staticsites", 0, func(f explain.Facts) string { return f.Unread }, "forbidden"},
		{"docs/docs", "sitedomainpolicies", 3, func(f explain.Facts) string { return strings.Join(f.Notes, "") }, "what SiteDomainPolicies permit is not known"},
		{"docs/docs", "services", 1, func(f explain.Facts) string { return f.BackendUnread }, "Service docs/web and its endpoints were not read"},
	} {
		kinds := make(map[schema.GroupVersionResource]string)
		for name, kind := range map[string]string{"staticsites": "StaticSiteList", "sitedomainpolicies": "SiteDomainPolicyList",
			"services": "ServiceList", "namespaces": "NamespaceList", "endpointslices": "EndpointSliceList"} {
			kinds[resources[name]] = kind
		}
		client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, parse(t, docs)...)
		if c.denied != "" {
			client.PrependReactor("list", c.denied, func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(resources[c.denied].GroupResource(), "", nil)
			})
		}
		target, err := explain.ParseTarget(c.target)
		if err != nil {
			t.Fatal(err)
		}
		facts := explain.Facts{Target: target}
		look(t.Context(), &facts, lookup.New(client, "https://cluster"))
		said := c.said(facts)
		if len(facts.Objects) != c.objects || !strings.Contains(said, c.want) || c.want == "" && said != "" {
			t.Errorf("%s without %q: read %d objects, said %q; want %d, %q", c.target, c.denied, len(facts.Objects), said, c.objects, c.want)
		}
	}
}

// parse reads documents as an API server would have them.
func parse(t *testing.T, text string) (objects []runtime.Object) {
	t.Helper()
	for _, document := range strings.Split(text, "---\n") {
		u := &unstructured.Unstructured{}
		asJSON, err := yaml.YAMLToJSON([]byte(document))
		if err == nil {
			err = u.UnmarshalJSON(asJSON)
		}
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, u)
	}
	return objects
}
