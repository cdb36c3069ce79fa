package source

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/object"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/rest/fake"
)

// discovery answers as an API server does when it is asked for the kinds of our
// group. What it answers can change.
type discovery struct {
	rest.Interface
	answer atomic.Pointer[discoveryAnswer]
	then   atomic.Pointer[discoveryAnswer] // the answer after the next one, if set
	asked  chan struct{}                   // a token for each question
}

type discoveryAnswer struct {
	status int
	body   string
}

var (
	policiesInstalled = discoveryAnswer{http.StatusOK, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"platform.my-company.com/v1alpha1",
		"resources":[{"name":"staticsites"},{"name":"sitedomainpolicies"}]}`}
	policiesAbsent = discoveryAnswer{http.StatusOK, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"platform.my-company.com/v1alpha1",
		"resources":[{"name":"staticsites"}]}`}
	discoveryDown = discoveryAnswer{http.StatusForbidden, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`}
)

func newDiscovery(answer discoveryAnswer) *discovery {
	d := &discovery{asked: make(chan struct{}, 10_000)}
	d.answer.Store(&answer)
	d.Interface = &fake.RESTClient{
		NegotiatedSerializer: scheme.Codecs.WithoutConversion(),
		Client: fake.CreateHTTPClient(func(r *http.Request) (*http.Response, error) {
			answer := d.answer.Load()
			if then := d.then.Swap(nil); then != nil {
				d.answer.Store(then)
			}
			d.asked <- struct{}{}
			return &http.Response{
				StatusCode: answer.status, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(bytes.NewReader([]byte(answer.body))),
			}, nil
		}),
	}
	return d
}

func withoutPolicies() rest.Interface { return newDiscovery(policiesAbsent) }

// awaitQuestions waits until it was asked n times from now on.
func (d *discovery) awaitQuestions(t *testing.T, n int) {
	t.Helper()
	for len(d.asked) > 0 {
		<-d.asked
	}
	for range n {
		select {
		case <-d.asked:
		case <-time.After(20 * time.Second):
			t.Fatal("the API server is not asked any more")
		}
	}
}

func policyObject(name, suffix string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "platform.my-company.com/v1alpha1", "kind": "SiteDomainPolicy",
		"metadata": map[string]any{"name": name, "resourceVersion": "1"},
		"spec": map[string]any{
			"mode": "Reserve", "domains": []any{map[string]any{"suffix": suffix}},
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"team": "docs"}},
		},
	}}
}

func namespaceObject(name, team string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "resourceVersion": "1", "labels": map[string]any{"team": team}},
	}}
}

func policyRef(name string) object.Ref {
	return object.Ref{Kind: object.KindPolicy, Key: object.Key{Name: name}}
}

func namespaceRef(name string) object.Ref {
	return object.Ref{Kind: object.KindNamespace, Key: object.Key{Name: name}}
}

// startAsking is start for a source that asks often whether policies are
// installed.
func startAsking(t *testing.T, client dynamic.Interface, d rest.Interface, log *zap.Logger) *Source {
	s := New(client, d, log)
	s.policyPoll = 10 * time.Millisecond
	start(t, s)
	return s
}

func TestPoliciesAndNamespacesAreInTheFirstBatch(t *testing.T) {
	client := newFake(siteObject("a", "1", spec("a.example.com"), nil), policyObject("kb", "kb.example.com"), namespaceObject("docs", "docs"))
	s := startAsking(t, client, newDiscovery(policiesInstalled), zap.NewNop())
	got := take(t, s.Changes())
	if len(got) != 3 || got[siteRef("a")] == nil {
		t.Fatalf("first batch %v, want a site, a policy and a namespace", got)
	}
	policy, _ := got[policyRef("kb")].(*object.Policy)
	if policy == nil || policy.Mode != "Reserve" || policy.Selector.MatchLabels["team"] != "docs" || policy.Domains[0].Suffix != "kb.example.com" {
		t.Errorf("policy %+v", policy)
	}
	if namespace, _ := got[namespaceRef("docs")].(*object.Namespace); namespace == nil || namespace.Labels["team"] != "docs" {
		t.Errorf("namespace %+v", namespace)
	}
}

// An API server that has just started may not know of the kind yet: nothing is
// handed over, and so served, on its first word.
func TestAbsenceIsNotBelievedAtOnce(t *testing.T) {
	client := newFake(siteObject("a", "1", spec("a.example.com"), nil), policyObject("kb", "kb.example.com"), namespaceObject("docs", "docs"))
	d := newDiscovery(policiesAbsent)
	d.then.Store(&policiesInstalled)
	s := startAsking(t, client, d, zap.NewNop())
	if got := take(t, s.Changes()); got[policyRef("kb")] == nil {
		t.Errorf("first batch %v, want the policy too", got)
	}
}

// A cluster without the kind is never asked for namespaces, which takes a right
// that an older installation does not give.
func TestWithoutTheKindNamespacesAreNotRead(t *testing.T) {
	client, d := newFake(siteObject("a", "1", spec("a.example.com"), nil), namespaceObject("docs", "docs")), newDiscovery(policiesAbsent)
	s := startAsking(t, client, d, zap.NewNop())
	if got := slices.Collect(maps.Keys(take(t, s.Changes()))); !slices.Equal(got, []object.Ref{siteRef("a")}) {
		t.Fatalf("first batch %v, want the site", got)
	}
	d.awaitQuestions(t, 3)
	for _, action := range client.Actions() {
		if resource := action.GetResource().Resource; resource == "namespaces" || resource == "sitedomainpolicies" {
			t.Errorf("%s was asked to %s", resource, action.GetVerb())
		}
	}
}

// That there are no policies is something to know, not to assume.
func TestNothingIsHandedOverBeforeItIsKnownWhetherThereArePolicies(t *testing.T) {
	d := newDiscovery(discoveryDown)
	logs, log := logged()
	s := startAsking(t, newFake(siteObject("a", "1", spec("a.example.com"), nil), policyObject("kb", "kb.example.com")), d, log)
	d.awaitQuestions(t, 5)
	if got := s.Changes().Take(); len(got) > 0 {
		t.Fatalf("handed over %v although nobody knows whether there are policies", got)
	}
	d.answer.Store(&policiesInstalled)
	if got := take(t, s.Changes()); len(got) != 2 || got[policyRef("kb")] == nil {
		t.Errorf("first batch %v, want the site and the policy", got)
	}
	if n := logs.FilterMessage("cannot find out whether the kind is installed, and nothing is served before that is known").Len(); n != 1 {
		t.Errorf("the outage was logged %d times, want once", n)
	}
}

func TestKindThatIsInstalledAndRemovedLater(t *testing.T) {
	client, d := newFake(), newDiscovery(policiesAbsent)
	s := startAsking(t, client, d, zap.NewNop())
	if got := take(t, s.Changes()); len(got) != 0 {
		t.Fatalf("first batch %v, want none", got)
	}
	if err := client.Tracker().Add(policyObject("kb", "kb.example.com")); err != nil {
		t.Fatal(err)
	}
	if err := client.Tracker().Add(namespaceObject("docs", "docs")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and it can come back
		d.answer.Store(&policiesInstalled)
		if got := take(t, s.Changes()); len(got) != 2 || got[policyRef("kb")] == nil || got[namespaceRef("docs")] == nil {
			t.Fatalf("after it was installed: %v, want a policy and a namespace at once", got)
		}
		d.answer.Store(&discoveryDown)
		d.awaitQuestions(t, 3)
		if got := s.Changes().Take(); len(got) > 0 {
			t.Fatalf("an error took away %v", got)
		}
		d.answer.Store(&policiesAbsent)
		got := take(t, s.Changes())
		policy, told := got[policyRef("kb")]
		if !told || policy != nil {
			t.Fatalf("after it was removed: %v, want that the policy is gone", got)
		}
	}
}

func TestPolicyThatChangesIsHandedOver(t *testing.T) {
	client := newFake(policyObject("kb", "kb.example.com"), namespaceObject("docs", "docs"))
	s := startAsking(t, client, newDiscovery(policiesInstalled), zap.NewNop())
	take(t, s.Changes())
	ctx := context.Background()
	if _, err := client.Resource(policyKinds[1].resource).Update(ctx, namespaceObject("docs", "guides"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, _ := take(t, s.Changes())[namespaceRef("docs")].(*object.Namespace); got == nil || got.Labels["team"] != "guides" {
		t.Errorf("after the namespace was labelled: %+v", got)
	}
	if err := client.Resource(policyKinds[0].resource).Delete(ctx, "kb", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := take(t, s.Changes()); len(got) != 1 || got[policyRef("kb")] != nil {
		t.Errorf("after the policy was deleted: %v", got)
	}
}
