package control

import (
	"fmt"
	"testing"
	"time"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// pods are the ready endpoints of service.
func pods(addresses ...string) *object.Slice {
	s := &object.Slice{Key: object.Key{Namespace: "docs", Name: "web-1"}, Service: "web", AddressType: "IPv4", Ports: []object.SlicePort{{Port: 8080}}}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, object.Endpoint{Address: a, Ready: true})
	}
	return s
}

func (w *world) expectEndpoints(status, reason string) {
	w.t.Helper()
	w.expect("a", v1alpha1.ConditionEndpointsReady, status, reason, "")
}

// That the last endpoint is gone is said after a while, that there is one again at
// once, and Ready has nothing to do with it.
func TestEndpointsReadyIsSaidWhenItStays(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, nil)
	w.expectEndpoints(isFalse, v1alpha1.ReasonNoEndpoints)
	w.expect("a", v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonReady, "")
	if s, _ := w.status("a"); s.Phase != "Provisioned" || s.Message != v1alpha1.MessageNoEndpoints {
		t.Errorf("the first thing to know is %q, in phase %s", s.Message, s.Phase)
	}
	w.put(pods("10.0.0.1"))
	w.expectEndpoints(isTrue, v1alpha1.ReasonEndpointsReady)
	if s, _ := w.status("a"); s.Message != v1alpha1.MessageProgrammed {
		t.Errorf("the first thing to know is %q", s.Message)
	}

	// Pods that come and go within the grace write nothing.
	gone := w.now
	for range 5 {
		w.put(pods())
		w.join.progress(w.now)
		w.put(pods("10.0.0.2"))
		w.now = w.now.Add(endpointsGrace / 2)
		w.join.progress(w.now)
		if s, fresh := w.status("a"); fresh {
			t.Fatalf("written after %v: %+v", w.now.Sub(gone), s)
		}
	}
	w.put(pods())
	w.join.progress(w.now.Add(endpointsGrace - 1))
	w.expectEndpoints(isTrue, v1alpha1.ReasonEndpointsReady)
	w.join.progress(w.now.Add(endpointsGrace))
	w.expectEndpoints(isFalse, v1alpha1.ReasonNoEndpoints)
	if len(w.join.leaving) != 0 {
		t.Errorf("still watched: %v", w.join.leaving)
	}
	w.put(pods("10.0.0.3"))
	w.expectEndpoints(isTrue, v1alpha1.ReasonEndpointsReady)

	// Another condition says more than this one.
	w.apply(map[object.Ref]object.Object{service().Ref(): nil})
	w.join.progress(w.now.Add(time.Hour))
	w.expectEndpoints(unknown, v1alpha1.ReasonUnresolved)
	bad := newSite("a", "*.example.com")
	bad.Generation = 2
	w.put(bad)
	w.expectEndpoints(unknown, v1alpha1.ReasonNotSent)

	// A site that goes while it is watched is forgotten.
	w.put(newSite("a", "a.example.com"), service())
	w.put(pods())
	w.apply(map[object.Ref]object.Object{bad.Ref(): nil})
	w.proxy(1, nil)
	w.join.progress(w.now.Add(time.Hour))
	if s, _ := w.status("a"); !s.Gone || len(w.join.leaving) != 0 {
		t.Errorf("not forgotten: %+v", s)
	}
}

// What is said while a site is under way is not lost in what is said of that.
func TestEndpointsAreSaidOfASiteThatIsUnderWay(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	w.acknowledge(2, 1, nil)
	w.put(service(), newSite("a", "a.example.com"), pods("10.0.0.1"))
	w.progress()
	w.expectEndpoints(isTrue, v1alpha1.ReasonEndpointsReady)
	w.put(pods())
	w.now = w.now.Add(time.Minute)
	w.progress()
	w.expectEndpoints(isFalse, v1alpha1.ReasonNoEndpoints)
	w.expect("a", v1alpha1.ConditionProgrammed, unknown, v1alpha1.ReasonPending, "")
}

func TestEndpointsOfUpstreamsDNSAreNotKnown(t *testing.T) {
	w := worldOf(t, translate.Options{Upstreams: translate.UpstreamsDNS})
	w.proxy(1, nil)
	w.put(service(), newSite("a", "a.example.com"))
	w.proxy(1, nil)
	w.expectEndpoints(unknown, v1alpha1.ReasonResolvedByProxies)
	w.expect("a", v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonReady, "")
}

// A node that takes the last pod of many sites costs these, and no other.
func TestEndpointsCostThoseThatChange(t *testing.T) {
	w := newWorld(t)
	w.proxy(1, nil)
	objects := []object.Object{service(), pods("10.0.0.1"), newSite("a", "a.example.com")}
	for i := range 500 {
		s := newSite(fmt.Sprint("s", i), fmt.Sprintf("s%d.example.com", i))
		s.Service = "other"
		objects = append(objects, s)
	}
	w.put(objects...)
	w.proxy(1, nil)
	w.status("a")
	w.put(pods())
	w.join.progress(w.now.Add(time.Minute))
	if taken := w.Statuses().Take(); len(taken) != 1 {
		t.Errorf("%d statuses for the endpoints of one site", len(taken))
	}
}
