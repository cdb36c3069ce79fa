package kube

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"my-company.com/staticsite-operator/translate"
)

// Without the labels of its namespace a site would seem to be kept from its own
// domain.
func TestPoliciesAreReadWithTheLabelsOrNotAtAll(t *testing.T) {
	client := newFake(siteObject("a", "1", spec("a.example.com"), nil), policyObject("ours", "example.com"), namespaceObject("docs", "docs"))
	denied := true
	client.PrependReactor("list", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
		return denied, nil, apierrors.NewForbidden(policyKinds[1].resource.GroupResource(), "", nil)
	})
	l := NewLookup(client, "https://cluster")
	if err := l.Site(t.Context(), translate.Key{Namespace: "docs", Name: "a"}); err != nil {
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
