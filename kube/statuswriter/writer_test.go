package statuswriter

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/kube/lease"
	"my-company.com/staticsite-operator/kube/observed"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"

	eventsv1 "k8s.io/api/events/v1"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/latest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patch is one write as it reached the server.
type patch struct {
	url  string
	text []byte
	body struct {
		Metadata struct{ ResourceVersion string }
		Status   v1alpha1.StaticSiteStatus
	}
}

// server answers patches as the test says, one after another: each is sent to
// patches, and then answered by what comes from answers.
type server struct {
	patches chan patch
	answers chan answer
	events  chan posted // Events, which are all accepted
}

type answer func(http.ResponseWriter, patch)

// posted is one write of an Event as it reached the server.
type posted struct {
	request string
	event   eventsv1.Event
}

func newServer(t *testing.T) (*server, dynamic.Interface) {
	s := &server{patches: make(chan patch), answers: make(chan answer), events: make(chan posted, 100)}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/apis/events.k8s.io/") {
			p := posted{request: r.Method + " " + r.URL.Path}
			if err := json.NewDecoder(r.Body).Decode(&p.event); err != nil {
				t.Error(err)
			}
			accepted("1")(w, patch{text: []byte("{}")})
			s.events <- p
			return
		}
		p := patch{url: r.Method + " " + r.URL.String()}
		var err error
		if p.text, err = io.ReadAll(r.Body); err != nil {
			return // the writer hung up
		}
		if err := json.Unmarshal(p.text, &p.body); err != nil {
			t.Error(err)
		}
		select {
		case s.patches <- p:
		case <-r.Context().Done():
			return
		}
		select {
		case answer := <-s.answers:
			answer(w, p)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(h.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := dynamic.NewForConfig(&rest.Config{Host: h.URL, Transport: transport, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return s, client
}

// accepted answers with the object as it is after the patch.
func accepted(version string) answer { return changed(version, func(map[string]any) {}) }

// changed is accepted, but for a status that an admission webhook changes.
func changed(version string, change func(status map[string]any)) answer {
	return func(w http.ResponseWriter, p patch) {
		var site map[string]any
		_ = json.Unmarshal(p.text, &site)
		site["apiVersion"], site["kind"] = v1alpha1.GroupVersion.String(), v1alpha1.Kind
		site["metadata"] = map[string]any{"namespace": "docs", "name": "a", "resourceVersion": version}
		if status, ok := site["status"].(map[string]any); ok {
			change(status)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(site)
	}
}

func refusedWith(code int, reason metav1.StatusReason) answer {
	return func(w http.ResponseWriter, _ patch) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: reason, Code: int32(code), Message: "no"})
	}
}

// rig is a writer with everything around it.
type rig struct {
	*server
	t      *testing.T
	wanted *latest.Map[object.Key, sitestatus.Status]
	seen   *latest.Map[object.Key, *observed.Status]
	terms  chan lease.Term
	logs   *observer.ObservedLogs
}

func newRig(t *testing.T) *rig {
	srv, client := newServer(t)
	seen := latest.New[object.Key, *observed.Status]()
	wanted := latest.New[object.Key, sitestatus.Status]()
	core, logs := observer.New(zap.InfoLevel)
	w := New(client, seen, wanted, zap.New(core))
	terms := make(chan lease.Term)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx, terms) })
	t.Cleanup(func() { stop(); running.Wait() })
	return &rig{server: srv, t: t, wanted: wanted, seen: seen, terms: terms, logs: logs}
}

// lead gives the writer a term; end ends it and waits until it is over.
func (r *rig) lead() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	r.terms <- lease.Term{Context: ctx, Expiry: func() time.Time { return time.Now().Add(time.Minute) }, Over: func() { close(over) }}
	r.t.Cleanup(cancel)
	return func() { cancel(); <-over }
}

func (r *rig) next() patch {
	r.t.Helper()
	select {
	case p := <-r.patches:
		return p
	case <-time.After(20 * time.Second):
		r.t.Fatal("no write")
		return patch{}
	}
}

func (r *rig) see(name string, seen *observed.Status) { r.seen.Put(key(name), seen) }

func (r *rig) want(s sitestatus.Status) { r.wanted.Put(s.Site, s) }

func TestAStatusIsWrittenWithTheVersionItIsBasedOn(t *testing.T) {
	r := newRig(t)
	r.lead()
	before := has("7", served("a", 1))
	before.Since = [7]uint32{1000, 1000, 0, 1000}
	r.see("a", before)
	want := served("a", 2, "a.example.com")
	want.Conditions[3].Status = "False"
	r.want(want)
	p := r.next()
	r.answers <- accepted("8")
	if want := "PATCH /apis/platform.my-company.com/v1alpha1/namespaces/docs/staticsites/a/status?fieldManager=staticsite-operator"; p.url != want {
		t.Errorf("request %s, want %s", p.url, want)
	}
	if p.body.Metadata.ResourceVersion != "7" {
		t.Errorf("based on version %q, want 7", p.body.Metadata.ResourceVersion)
	}
	status := p.body.Status
	if status.ObservedGeneration != 2 || status.Phase != v1alpha1.PhaseProvisioned || len(status.Conditions) != 4 ||
		!cmp.Equal(status.Domains, []string{"a.example.com"}) || status.Message != want.Message {
		t.Errorf("status %+v", status)
	}
	for i, kept := range []bool{true, true, false, false} {
		if got := status.Conditions[i].LastTransitionTime.Unix() == 1000; got != kept {
			t.Errorf("%s: its time was kept: %v, want %v", status.Conditions[i].Type, got, kept)
		}
		if status.Conditions[i].ObservedGeneration != 2 {
			t.Errorf("%s: generation %d, want 2", status.Conditions[i].Type, status.Conditions[i].ObservedGeneration)
		}
	}
}

func TestOutsideATermNothingIsWrittenButAllIsRemembered(t *testing.T) {
	r := newRig(t)
	r.see("a", nothing("1"))
	r.want(served("a", 1))
	end := r.lead()
	r.next()
	r.answers <- accepted("2")
	end()

	r.want(served("a", 2))
	r.see("b", nothing("3"))
	r.want(served("b", 1))
	r.want(served("a", 3))
	r.lead()
	got := map[string]int64{}
	for range 2 {
		p := r.next()
		got[strings.Split(p.url, "/")[7]] = p.body.Status.ObservedGeneration
		r.answers <- accepted("9")
	}
	if diff := cmp.Diff(map[string]int64{"a": 3, "b": 1}, got); diff != "" {
		t.Errorf("generations written -want +got:\n%s", diff)
	}
}

// A write that is under way when the term ends is given up and not repeated.
func TestTheEndOfATermInterruptsAWrite(t *testing.T) {
	r := newRig(t)
	end := r.lead()
	r.see("a", nothing("1"))
	r.want(served("a", 1))
	r.next()
	end() // returns although the server has not answered
	if r.logs.Len() > 0 {
		t.Errorf("logged: %v", r.logs.All()) // it is nobody's fault, and no time-out was waited for
	}
	r.lead()
	if p := r.next(); p.body.Metadata.ResourceVersion != "1" {
		t.Errorf("in the next term it is based on %s, want 1", p.body.Metadata.ResourceVersion)
	}
	r.answers <- accepted("2")
}

func TestATermIsOverWhenNothingIsUnderWay(t *testing.T) {
	_, client := newServer(t)
	w := &Writer{ledger: newLedger(), recorder: newRecorder(client, zap.NewNop()), results: make(chan result), underWay: 2}
	w.ledger.see(key("a"), nothing("1"))
	w.ledger.demand(served("a", 1))
	next, _ := w.ledger.next()
	over := make(chan struct{})
	w.term = &lease.Term{Over: func() { close(over) }}
	ended := make(chan struct{})
	go func() { w.finish(); close(ended) }()
	for range 2 {
		select {
		case <-over:
			t.Fatal("over while a write was under way")
		case w.results <- result{next, interrupted, nil, nil}:
		}
	}
	<-over
	<-ended
}

// A process that was stopped for longer than its lease finds that out by the
// clock, before anybody tells it.
func TestAfterTheExpiryNothingIsWritten(t *testing.T) {
	r := newRig(t)
	var expiry sync.Map
	expiry.Store("at", time.Now().Add(-time.Second))
	asked := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.terms <- lease.Term{Context: ctx, Over: func() {}, Expiry: func() time.Time {
		asked <- struct{}{}
		at, _ := expiry.Load("at")
		return at.(time.Time)
	}}
	r.see("a", nothing("1"))
	r.want(served("a", 1))
	<-asked
	select {
	case p := <-r.patches:
		t.Fatalf("written: %+v", p)
	case <-asked: // it looked again, after it could have written
	}
	expiry.Store("at", time.Now().Add(time.Minute)) // renewed
	r.next()
	r.answers <- accepted("2")
}

func TestWhatIsDoneAboutFailures(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		then   func(*rig)
		based  string
	}{
		"conflict":         {refusedWith(409, metav1.StatusReasonConflict), func(r *rig) { r.see("a", nothing("2")) }, "2"},
		"conflict, silent": {refusedWith(409, metav1.StatusReasonConflict), func(r *rig) {}, "1"},
		"not found":        {refusedWith(404, metav1.StatusReasonNotFound), func(r *rig) { r.see("a", nothing("5")) }, "5"},
		"invalid":          {refusedWith(422, metav1.StatusReasonInvalid), func(r *rig) { r.want(served("a", 2)) }, "1"},
		"forbidden":        {refusedWith(403, metav1.StatusReasonForbidden), func(r *rig) {}, "1"},
		"server error":     {refusedWith(500, metav1.StatusReasonInternalError), func(r *rig) {}, "1"},
		"connection lost":  {func(http.ResponseWriter, patch) { panic(http.ErrAbortHandler) }, func(r *rig) {}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.lead()
			r.see("a", nothing("1"))
			r.want(served("a", 1))
			r.next()
			r.answers <- c.answer
			c.then(r)
			if p := r.next(); p.body.Metadata.ResourceVersion != c.based {
				t.Errorf("the next attempt is based on version %s, want %s", p.body.Metadata.ResourceVersion, c.based)
			}
			r.answers <- accepted("9")
		})
	}
}

// A patch replaces the whole status, so that nothing of what was there before is
// left, whoever wrote it: a merge patch removes what it gives as null.
func TestAWriteNamesEveryFieldOfAStatus(t *testing.T) {
	got, err := replacement(nothing("7"), v1alpha1.StaticSiteStatus{})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"metadata":{"resourceVersion":"7"},"status":{"conditions":null,"domains":null,"message":null,"observedGeneration":null,"phase":null}}`
	if string(got) != want {
		t.Errorf("the body is %s, want %s", got, want)
	}
}

// strayed is a site with a status that others wrote: conditions of the given types.
func strayed(ours bool, types ...string) *observed.Status {
	manager := "somebody"
	if ours {
		manager = kube.FieldManager
	}
	var conditions []any
	owned := make(map[string]any)
	for _, typ := range types {
		conditions = append(conditions, map[string]any{"type": typ, "status": "True", "reason": "Stray"})
		owned[`k:{"type":"`+typ+`"}`] = map[string]any{".": map[string]any{}}
	}
	site := siteObject("a", "7", map[string]any{"conditions": conditions})
	site.Object["metadata"].(map[string]any)["managedFields"] = []any{
		map[string]any{"manager": "kubectl", "fieldsV1": map[string]any{"f:spec": map[string]any{}}},
		map[string]any{"manager": manager, "subresource": "status", "fieldsV1": map[string]any{
			"f:status": map[string]any{"f:conditions": owned},
		}},
	}
	return observed.Read(site.Object)
}

// A condition of a type that this program knows is its own, whoever wrote it. Of
// another type it is somebody else's and stays, unless a later version of this
// program wrote it.
func TestWhoseAConditionIs(t *testing.T) {
	many := make([]string, 16)
	for i := range many {
		many[i] = fmt.Sprintf("Other%d", i)
	}
	for name, c := range map[string]struct {
		seen *observed.Status
		want []string // what is written besides the status that is wanted
	}{
		"ours, from others":                  {strayed(false, "Stalled", "Reconciling"), nil},
		"somebody's own":                     {strayed(false, "Stalled", "Scanned"), []string{"Scanned"}},
		"left by a later version":            {strayed(true, "Futuristic"), nil},
		"more than there is room for beside": {strayed(false, many...), many[:12]},
	} {
		want := served("a", 1)
		body, err := replacement(c.seen, want.InObject(nil, now))
		if err != nil {
			t.Fatal(err)
		}
		var p patch
		if err := json.Unmarshal(body, &p.body); err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, condition := range p.body.Status.Conditions[4:] {
			types = append(types, condition.Type)
		}
		if diff := cmp.Diff(c.want, types); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	l := newLedger()
	left := strayed(true, "Futuristic")
	left.Words = has("7", served("a", 1)).Words
	l.see(key("a"), left)
	l.demand(served("a", 1))
	expect(t, l, "a") // it is to be removed
}

// Somebody writes over a status again and again.
func TestWhoWritesAgainstAStatusIsAnsweredMoreSlowly(t *testing.T) {
	r := newRig(t)
	r.lead()
	r.want(served("a", 1))
	for version := 1; version <= 2*attemptsAtOnce; version += 2 {
		seen := strayed(false, "Stalled")
		seen.Version = strconv.Itoa(version)
		r.see("a", seen)
		r.next()
		r.answers <- accepted(strconv.Itoa(version + 1))
	}
	line := await(t, r.logs, "a status is changed by others again and again, writing it more slowly from now on: only this program's leader may write it")
	if diff := cmp.Diff(map[string]any{"site": "docs/a", "managers": []any{"somebody"}}, line.ContextMap()); diff != "" {
		t.Errorf("logged -want +got:\n%s", diff)
	}
	seen := strayed(false, "Stalled")
	seen.Version = "100"
	r.see("a", seen)
	r.see("b", nothing("1"))
	r.want(served("b", 1))
	if p := r.next(); !strings.Contains(p.url, "/b/") { // which was behind it
		t.Errorf("written: %s", p.url)
	}
	r.answers <- accepted("2")
	r.want(served("a", 2)) // something new to say is said at once
	if p := r.next(); p.body.Status.ObservedGeneration != 2 {
		t.Errorf("written: %+v", p.body)
	}
	r.answers <- accepted("101")
}

// The API server takes a status and makes another one of it.
func TestWritesWithoutEffectSlowDown(t *testing.T) {
	r := newRig(t)
	r.lead()
	r.see("a", nothing("1"))
	r.want(served("a", 1))
	for range attemptsAtOnce {
		r.next()
		r.answers <- changed("1", func(status map[string]any) { delete(status, "message") })
	}
	await(t, r.logs, "the API server does not keep a status as it is written, writing it more slowly from now on: is the CustomResourceDefinition of this version installed, or does an admission webhook change it?")
	r.see("b", nothing("1"))
	r.want(served("b", 1))
	if p := r.next(); !strings.Contains(p.url, "/b/") {
		t.Errorf("written: %s", p.url)
	}
	r.answers <- accepted("2")
	if len(r.events) > 0 {
		p := <-r.events
		if !strings.Contains(p.request, "/b") {
			t.Errorf("told although it was not done: %+v", p)
		}
	}
}

// await waits for a line of the log.
func await(t *testing.T, logs *observer.ObservedLogs, message string) observer.LoggedEntry {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if lines := logs.FilterMessage(message).All(); len(lines) > 0 {
			return lines[0]
		}
	}
	t.Fatalf("not logged: %s", message)
	return observer.LoggedEntry{}
}

func siteObject(name, version string, status map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "platform.my-company.com/v1alpha1", "kind": "StaticSite",
		"metadata": map[string]any{"namespace": "docs", "name": name, "resourceVersion": version, "generation": int64(1)},
		"spec":     map[string]any{"domain": name + ".example.com", "backend": map[string]any{"serviceName": "web", "servicePort": int64(80)}},
		"status":   status,
	}}
}
