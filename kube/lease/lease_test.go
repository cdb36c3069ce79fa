package lease

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"my-company.com/staticsite-operator/kube"

	coordinationv1 "k8s.io/api/coordination/v1"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// leaseServer keeps one Lease, with versions as the API server does.
type leaseServer struct {
	mu    sync.Mutex
	lease *coordinationv1.Lease
}

func (s *leaseServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sent coordinationv1.Lease
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			refuse(w, 400, metav1.StatusReasonBadRequest)
			return
		}
	}
	switch {
	case s.lease == nil && r.Method != http.MethodPost:
		refuse(w, 404, metav1.StatusReasonNotFound)
		return
	case r.Method == http.MethodPut && sent.ResourceVersion != s.lease.ResourceVersion:
		refuse(w, 409, metav1.StatusReasonConflict)
		return
	case r.Method != http.MethodGet:
		s.store(&sent)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.lease)
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: reason, Code: int32(code), Message: "no"})
}

func (s *leaseServer) store(lease *coordinationv1.Lease) {
	version := 0
	if s.lease != nil {
		version, _ = strconv.Atoi(s.lease.ResourceVersion)
	}
	lease.ResourceVersion = strconv.Itoa(version + 1)
	lease.TypeMeta = metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"}
	s.lease = lease
}

func (s *leaseServer) holder() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lease == nil || s.lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *s.lease.Spec.HolderIdentity
}

func newLease(t *testing.T) (*leaseServer, *Lease) {
	s, lease, _ := newLoggedLease(t)
	return s, lease
}

func newLoggedLease(t *testing.T) (*leaseServer, *Lease, *observer.ObservedLogs) {
	s := &leaseServer{}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	config := &rest.Config{Host: h.URL, Transport: transport, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
	core, logs := observer.New(zap.InfoLevel)
	log := zap.New(core)
	lease, err := New(config, "operators", func(why string, fields ...zap.Field) { log.Warn(why, fields...) }, log)
	if err != nil {
		t.Fatal(err)
	}
	return s, lease, logs
}

// A cluster that is restored from a backup has the Lease of then.
func TestALeaseThatGoesBackInTimeIsSaid(t *testing.T) {
	s, lease, logs := newLoggedLease(t)
	const said = "the Lease's versions have gone back, as they do when etcd is restored from a backup: listing everything anew; restart each API server that was running meanwhile, for it goes on to show what was before"
	ctx := t.Context()
	ask := func() {
		t.Helper()
		if _, err := lease.leases.Leases("").Get(ctx, Name, metav1.GetOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	old := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "operators", Name: Name}}
	created, err := lease.leases.Leases("").Create(ctx, old, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	saved := created.DeepCopy()
	for range 10 { // of which the last has two digits
		if created, err = lease.leases.Leases("").Update(ctx, created, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		ask()
	}
	if n := logs.FilterMessage(said).Len(); n != 0 {
		t.Fatalf("said %d times of a Lease that was renewed", n)
	}
	s.mu.Lock()
	s.lease = saved
	s.mu.Unlock()
	ask()
	ask()
	if n := logs.FilterMessage(said).Len(); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
}

// The lease is let go of when the last write has ended, not before: whoever
// follows must find nothing under way.
func TestTheLeaseIsHeldUntilTheTermIsOver(t *testing.T) {
	s, lease := newLease(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	terms, ended := make(chan Term), make(chan error)
	go func() { ended <- lease.Run(ctx, terms) }()

	term := <-terms
	if s.holder() != lease.identity {
		t.Fatalf("held by %q, want %q", s.holder(), lease.identity)
	}
	if _, ok := term.Deadline(time.Now(), time.Second); !ok {
		t.Error("no write may start in a new term")
	}
	if _, ok := term.Deadline(time.Now().Add(leaseDuration), time.Second); ok {
		t.Error("a write may start when another replica may lead")
	}
	stop()
	<-term.Context.Done()
	if s.holder() != lease.identity {
		t.Error("let go of before the term was over")
	}
	term.Over()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if s.holder() != "" {
		t.Errorf("held by %q after the end, want nobody", s.holder())
	}
}

func TestWhoIsNotElectedEndsAtOnce(t *testing.T) {
	s, lease := newLease(t)
	other, seconds, moment := "other", int32(15), metav1.NowMicro()
	s.store(&coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "operators", Name: Name},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &other, LeaseDurationSeconds: &seconds, RenewTime: &moment, AcquireTime: &moment},
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- lease.Run(ctx, make(chan Term)) }()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if s.holder() != other {
		t.Errorf("held by %q, want %q", s.holder(), other)
	}
}

// memoryLock is a lock without a server.
type memoryLock struct {
	resourcelock.Interface
	record resourcelock.LeaderElectionRecord
}

func (m *memoryLock) Identity() string { return "me" }

func (m *memoryLock) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record := m.record
	return &record, nil, nil
}

func (m *memoryLock) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	m.record = record
	return nil
}

func TestAFenceGivesUpItsOwnLockOnly(t *testing.T) {
	ctx := context.Background()
	inner := &memoryLock{}
	f := &fence{Interface: inner, outage: &kube.Outage{Log: zap.NewNop()}}
	if !f.expiry().IsZero() {
		t.Error("it expires before it was held")
	}
	before := time.Now()
	if err := f.Update(ctx, resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
		t.Fatal(err)
	}
	if end := f.expiry(); end.Before(before.Add(renewDeadline)) || end.After(time.Now().Add(renewDeadline)) {
		t.Errorf("it expires at %v", end)
	}

	inner.record.HolderIdentity = "other" // while this process was stopped
	_, _, _ = f.Get(ctx)
	if err := f.Update(ctx, resourcelock.LeaderElectionRecord{}); err == nil || inner.record.HolderIdentity != "other" {
		t.Errorf("gave up another's lock: %v", err)
	}

	inner.record.HolderIdentity = "me"
	_, _, _ = f.Get(ctx)
	if err := f.Update(ctx, resourcelock.LeaderElectionRecord{}); err != nil || inner.record.HolderIdentity != "" {
		t.Errorf("did not give up its own lock: %v", err)
	}
}
