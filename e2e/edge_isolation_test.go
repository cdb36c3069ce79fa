package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/traffic"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/translate/evil"
	"my-company.com/staticsite-operator/xds"
)

// goodTenants is how many good sites stand beside the evil one; translate's own
// test of the same corpus has 5,000.
const goodTenants = 100

// TestIsolation runs one proxy through the whole corpus of evil: in every case the
// others' resources are not sent, their requests are all answered by themselves, a
// change of one of them is live at once, the evil one's status says what to do,
// and mending it heals it.
func TestIsolation(t *testing.T) {
	ctx := bounded(t, 3*time.Minute)
	n := newNeighbourhood(t, ctx)
	load := traffic.Start(traffic.Options{Address: n.proxy.address, Hosts: n.hosts(), Rate: 300})
	defer load.Stop()

	for _, c := range evil.Cases() {
		t.Run(c.Name, func(t *testing.T) { n.suffer(t, &c) })
	}
	rejected, err := n.proxy.Stats(ctx, `update_rejected$`)
	must(t, err)
	for name, count := range rejected {
		if count > 0 {
			t.Errorf("the proxy was sent what it refuses: %s is %d", name, count)
		}
	}
	for _, c := range tamperings() {
		t.Run("tampered: "+c.name, func(t *testing.T) { n.sufferTampering(t, &c) })
	}

	slices.Sort(n.took)
	t.Logf("a good site's change right after was live after %v (median of %d), %v at most", n.took[len(n.took)/2], len(n.took), n.took[len(n.took)-1])
	must(t, undisturbed(t, load))
}

var evilSite = object.Key{Namespace: evil.Tenant, Name: "main"}

// A neighbourhood is good tenants and the evil one, who is healthy between cases.
type neighbourhood struct {
	*plane
	way   *tamperer
	proxy *proxy

	pods    []int32 // two ports that all good tenants are served at
	healthy []object.Object
	changes []int // how often each good tenant has changed
	turn    int   // whose turn it is to change
	took    []time.Duration
}

func newNeighbourhood(t *testing.T, ctx context.Context) *neighbourhood {
	isEvil := func(host string) bool { return strings.HasSuffix(host, evil.Domain) }
	n := &neighbourhood{plane: startPlane(t, translate.Options{}), changes: make([]int, goodTenants)}
	for _, name := range []string{"web", "new"} {
		n.pods = append(n.pods, podFor(t, name, func(host string) bool { return !isEvil(host) }))
	}
	n.healthy = evil.Healthy(netns.Addr(1), podFor(t, evil.Tenant, isEvil))
	n.put(n.healthy...)
	for tenant := range goodTenants {
		n.put(n.good(tenant)...)
	}
	n.way = tamper(t, n.address, net.JoinHostPort(netns.Addr(8), xdsPort))
	n.proxy = n.startProxy(t, ctx, "envoy", n.way.address)
	for _, host := range append(n.hosts(), evil.Domain) {
		must(t, awaitAnswer(ctx, n.proxy.address, host, http.StatusOK, ""))
	}
	must(t, n.awaitHealthy(ctx))
	return n
}

// podFor starts a pod that answers for its own hosts, and 421 for all others: no
// site ever shows another's content. It returns its port.
func podFor(t *testing.T, name string, own func(host string) bool) int32 {
	t.Helper()
	b, err := backend.Start(t, backend.Pod{Name: name, Address: net.JoinHostPort(netns.Addr(1), "0"),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !own(r.Host) {
				w.WriteHeader(http.StatusMisdirectedRequest)
			}
		})})
	must(t, err)
	_, text, err := net.SplitHostPort(b.Address())
	must(t, err)
	port, err := strconv.ParseInt(text, 10, 32)
	must(t, err)
	return int32(port)
}

// tenant is the namespace of a good tenant.
func tenant(n int) string {
	if n == 0 {
		return evil.Victim
	}
	return fmt.Sprintf("good-%03d", n)
}

// good are a tenant's objects: a site and two Services, with a pod each. Every
// change moves the site from one to the other.
func (n *neighbourhood) good(tenantNumber int) []object.Object {
	ns := tenant(tenantNumber)
	names := []string{"web", "new"}
	objects := []object.Object{&object.Site{
		Key: object.Key{Namespace: ns, Name: "main"}, Generation: int64(n.changes[tenantNumber]), Domain: ns + ".example.com",
		Service: names[n.changes[tenantNumber]%2], Port: 80, Held: []string{ns + ".example.com"},
	}}
	for i, name := range names {
		objects = append(objects,
			&object.Service{Key: object.Key{Namespace: ns, Name: name}, Ports: []object.ServicePort{{Port: 80}}},
			&object.Slice{
				Key: object.Key{Namespace: ns, Name: name + "-1"}, Service: name, AddressType: "IPv4",
				Ports: []object.SlicePort{{Port: n.pods[i]}}, Endpoints: []object.Endpoint{{Address: netns.Addr(1), Ready: true}},
			})
	}
	return objects
}

func (n *neighbourhood) hosts() (hosts []string) {
	for tenantNumber := range goodTenants {
		hosts = append(hosts, tenant(tenantNumber)+".example.com")
	}
	return hosts
}

// suffer goes through one case.
func (n *neighbourhood) suffer(t *testing.T, c *evil.Case) {
	ctx := bounded(t, 20*time.Second)
	n.way.taken()
	n.objects.PutAll(c.Changes())
	n.changeOne(t, ctx)
	if c.Condition != "" && !c.DNS {
		must(t, n.awaitCondition(ctx, c.Site(), c.Condition, "False", c.Says...))
	}
	n.objects.PutAll(c.Mend(n.healthy))
	must(t, n.awaitHealthy(ctx))
	must(t, awaitAnswer(ctx, n.proxy.address, evil.Domain, http.StatusOK, evil.Tenant))
	n.checkSent(t)
}

// changeOne changes the next good tenant, waits until readers see it, and notes
// how long that took.
func (n *neighbourhood) changeOne(t *testing.T, ctx context.Context) {
	t.Helper()
	n.turn = (n.turn + 1) % goodTenants
	n.changes[n.turn]++
	start := time.Now()
	n.put(n.good(n.turn)[0])
	must(t, awaitAnswer(ctx, n.proxy.address, tenant(n.turn)+".example.com", http.StatusOK, []string{"web", "new"}[n.changes[n.turn]%2]))
	n.took = append(n.took, time.Since(start))
}

func (n *neighbourhood) awaitHealthy(ctx context.Context) error {
	return n.awaitCondition(ctx, evilSite, "Ready", "True")
}

// checkSent checks that nothing was sent of any good tenant but the one that has
// changed.
func (n *neighbourhood) checkSent(t *testing.T) {
	t.Helper()
	for _, name := range n.way.taken() {
		for tenantNumber := range goodTenants {
			ns := tenant(tenantNumber)
			if tenantNumber != n.turn && (name.Name == ns+".example.com" || strings.HasPrefix(name.Name, ns+"_")) {
				t.Errorf("%s %s was sent", name.Type, name.Name)
			}
		}
	}
}

// sufferTampering goes through one case of what only the proxy can refuse: the
// evil tenant changes its site, and the change arrives spoiled.
func (n *neighbourhood) sufferTampering(t *testing.T, c *tampering) {
	ctx := bounded(t, 20*time.Second)
	n.way.change(c.resource, c.spoil)
	changed := c.change(n.healthy)
	defer n.mend(t, c, changed)
	n.put(changed...)
	cluster := c.resource.Type == xds.Cluster // See docs/architecture.md, "Limits, chosen": others in the same response wait, and its own site answers 503.
	if !cluster {
		n.changeOne(t, ctx)
	}
	if c.resource.Type != xds.Endpoint { // which no status is about: pods come and go
		must(t, n.awaitCondition(ctx, evilSite, "Programmed", "False", c.says, "Envoy says"))
	}
	if !cluster {
		must(t, awaitAnswer(ctx, n.proxy.address, evil.Domain, http.StatusOK, evil.Tenant)) // as it was
	}
	n.changeOne(t, ctx)
}

// mend ends a tampering.
func (n *neighbourhood) mend(t *testing.T, c *tampering, changed []object.Object) {
	ctx := bounded(t, 20*time.Second)
	n.way.change(c.resource, nil)
	mended := make(map[object.Ref]object.Object)
	for _, o := range changed {
		mended[o.Ref()] = nil
	}
	for _, o := range n.healthy {
		mended[o.Ref()] = o
	}
	n.objects.PutAll(mended)
	if err := n.awaitHealthy(ctx); err != nil {
		t.Error(err)
	}
	if err := awaitAnswer(ctx, n.proxy.address, evil.Domain, http.StatusOK, evil.Tenant); err != nil {
		t.Error(err)
	}
}
