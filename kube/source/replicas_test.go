package source

import (
	"fmt"
	"net/netip"
	"testing"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/object"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/latest"
)

func sliceObject(name, service, version string, ports []any, endpoints ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
		"metadata": map[string]any{"namespace": "docs", "name": name, "resourceVersion": version,
			"labels": map[string]any{"kubernetes.io/service-name": service}},
		"ports": ports, "endpoints": endpoints,
	}}
}

func endpoint(address string, ready bool) map[string]any {
	return map[string]any{"addresses": []any{address}, "conditions": map[string]any{"ready": ready}}
}

func port(name string, number int64) map[string]any {
	return map[string]any{"name": name, "port": number}
}

func TestReplicasAreTheEndpointsOfTheirService(t *testing.T) {
	ports := []any{port("grpc-xds", 9000), port("metrics", 8080)}
	client := newFake(
		sliceObject("ours", "operator", "1", ports, endpoint("10.0.0.1", true), endpoint("10.0.0.2", false)),
		sliceObject("alone", "operator", "1", []any{port("", 9001)}, endpoint("10.0.0.3", true)),
		sliceObject("locked", "operator", "1", []any{port("grpc-xds-tls", 9443), port("metrics", 8080)}, endpoint("10.0.0.4", true)),
		sliceObject("other", "web", "1", ports, endpoint("10.0.0.9", true)))
	s := New(client, withoutPolicies(), zap.NewNop())
	replicas := s.Replicas(object.Key{Namespace: "docs", Name: "operator"}, "grpc-xds")
	start(t, s)
	got := take(t, replicas)
	want := map[string][]netip.AddrPort{
		"ours":   {netip.MustParseAddrPort("10.0.0.1:9000"), netip.MustParseAddrPort("10.0.0.2:9000")}, // ready or not
		"alone":  {netip.MustParseAddrPort("10.0.0.3:9001")},
		"locked": {netip.MustParseAddrPort("10.0.0.4:9443")}, // it is there, though it cannot be reached so
		"other":  nil,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("the replicas are %v, want %v", got, want)
	}

	slices := client.Resource(endpointSlices).Namespace("docs")
	if _, err := slices.Update(t.Context(), sliceObject("ours", "web", "2", ports, endpoint("10.0.0.1", true)), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := take(t, replicas); fmt.Sprint(got) != "map[ours:[]]" {
		t.Errorf("of a slice that is another Service's now: %v", got)
	}
	if err := slices.Delete(t.Context(), "alone", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := take(t, replicas); fmt.Sprint(got) != "map[alone:[]]" {
		t.Errorf("of a slice that is gone: %v", got)
	}
}

// That there are none is something else than not to know.
func TestNoReplicasAreSaid(t *testing.T) {
	s := New(newFake(), withoutPolicies(), zap.NewNop())
	replicas := s.Replicas(object.Key{Namespace: "docs", Name: "operator"}, "grpc-xds")
	start(t, s)
	if got := take(t, replicas); len(got) != 0 {
		t.Errorf("the replicas are %v", got)
	}
}

// Of the leader every word of replicas asks to look again at all sites that are
// not settled.
func TestNoNewsOfReplicasIsNotSaid(t *testing.T) {
	r := &replicas{endpoints: latest.New[string, []netip.AddrPort](), log: zap.NewNop()}
	r.take(nil)
	<-r.endpoints.Ready()
	site := &object.Site{Key: object.Key{Namespace: "docs", Name: "a"}}
	r.take(map[object.Ref]object.Object{site.Ref(): site})
	select {
	case <-r.endpoints.Ready():
		t.Error("a site that changes is news of replicas")
	default:
	}
}
