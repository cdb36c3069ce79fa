package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/credentials/credentialstest"
	"my-company.com/staticsite-operator/e2e/cluster"
	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/link"
	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/proc"
)

// TestReplicas: three replicas, an Envoy at each. A site is programmed when the
// Envoys of all have it, whoever writes the status, and what is said to be True
// stays so, whoever is stopped or killed.
func TestReplicas(t *testing.T) {
	ctx := bounded(t, 8*time.Minute)
	c := install(t, ctx)
	var replicas []*replica
	var proxies []*proxy
	for n := range 3 {
		r := c.startReplica(t, ctx, n+1, "")
		if n == 0 {
			must(t, r.leads(ctx, 0))
		}
		replicas = append(replicas, r)
		proxies = append(proxies, r.startEnvoy(t, ctx, fmt.Sprintf("envoy-%d", n+1)))
	}
	c.live(t, ctx, proxies[0], "team", "old", "old.example.com")
	_, err := c.awaitVerdict(ctx, "team", "old", good)
	must(t, err)

	for _, test := range []struct {
		name string
		run  func(*testing.T, context.Context, *installation, []*replica, []*proxy)
	}{
		{"FrozenProxyOfAFollower", testFrozenAtFollower},
		{"RefusedAtAFollower", testRefusedAtFollower},
		{"PathThatRefuses", testPathThatRefuses},
		{"FrozenFollower", testFrozenFollower},
		{"LeaderGone", testLeaderGone},
	} {
		if !t.Run(test.name, func(t *testing.T) { test.run(t, bounded(t, 2*time.Minute), c, replicas, proxies) }) {
			return
		}
	}
}

// pending is a site that not all proxies are known to have.
var pending = verdict{"True Accepted", "True ResolvedRefs", "Unknown Pending", "Unknown NotReady"}

// awaitPending waits until a site's status says that it is not programmed yet, in
// these words.
func (c *installation) awaitPending(t *testing.T, ctx context.Context, name string, words ...string) {
	t.Helper()
	must(t, proc.Poll(ctx, func(ctx context.Context) error {
		site, err := c.awaitVerdict(ctx, "team", name, pending)
		if err != nil {
			return err
		}
		for _, w := range words {
			if !strings.Contains(message(site, "Programmed"), w) {
				return fmt.Errorf("Programmed of %s says %q, want %q", name, message(site, "Programmed"), words)
			}
		}
		return nil
	}))
}

// unchanged returns a check that a site's object is what it is now.
func (c *installation) unchanged(t *testing.T, ctx context.Context, name string) func() {
	t.Helper()
	before, err := c.awaitVerdict(ctx, "team", name, good)
	must(t, err)
	return func() {
		t.Helper()
		after, err := c.site(ctx, "team", name)
		must(t, err)
		if after.ResourceVersion != before.ResourceVersion {
			t.Errorf("%s was written: %+v", name, after.Status)
		}
	}
}

func testFrozenAtFollower(t *testing.T, ctx context.Context, c *installation, _ []*replica, proxies []*proxy) {
	unchanged := c.unchanged(t, ctx, "old")
	must(t, proxies[1].Process().Signal(syscall.SIGSTOP))
	c.live(t, ctx, proxies[0], "team", "slow", "slow.example.com")
	c.awaitPending(t, ctx, "slow", "acknowledged by 2 of 3 serving proxies")
	must(t, proxies[1].Process().Signal(syscall.SIGCONT))
	_, err := c.awaitVerdict(ctx, "team", "slow", good)
	must(t, err)
	must(t, awaitAnswer(ctx, proxies[1].address, "slow.example.com", http.StatusOK, "slow-1"))
	unchanged()
}

// testRefusedAtFollower: an Envoy that was built without something that every
// site's routes need.
func testRefusedAtFollower(t *testing.T, ctx context.Context, c *installation, replicas []*replica, _ []*proxy) {
	bootstrap, err := operator.Bootstrap(ctx, operator.BootstrapOptions{XDSAddress: replicas[2].XDSAddress, NodeID: "odd"})
	must(t, err)
	host, err := netns.NewHost(t, 1)
	must(t, err)
	odd, err := envoy.Start(ctx, t, envoy.Options{Name: "odd", Bootstrap: bootstrap, Concurrency: 1, Host: host,
		Args: []string{"--disable-extensions", "envoy.retry_host_predicates/envoy.retry_host_predicates.previous_hosts"}})
	must(t, err)
	site, err := c.awaitVerdict(ctx, "team", "old", verdict{"True Accepted", "True ResolvedRefs", "False Rejected", "False NotReady"})
	must(t, err)
	says(t, message(site, "Programmed"), "refused by 1 of 4 serving proxies", "Envoy says", "previous_hosts")
	odd.Process().Stop()
	_, err = c.awaitVerdict(ctx, "team", "old", good)
	must(t, err)
}

func testFrozenFollower(t *testing.T, ctx context.Context, c *installation, replicas []*replica, proxies []*proxy) {
	leader, follower := replicas[0], replicas[2]
	unchanged := c.unchanged(t, ctx, "old")
	from := leader.Log.Len()
	must(t, follower.Process().Signal(syscall.SIGSTOP))
	c.live(t, ctx, proxies[0], "team", "blocked", "blocked.example.com")
	c.awaitPending(t, ctx, "blocked", "of 3 serving proxies", follower.XDSAddress)
	_, err := leader.Log.Wait(ctx, from, func(e operator.Entry) bool {
		return strings.HasPrefix(e.Message, "cannot reach a replica") && e.Field("replica") == follower.XDSAddress
	})
	must(t, err)
	c.awaitPending(t, ctx, "blocked", "2 of 2 serving proxies", "replica "+follower.XDSAddress+" cannot be reached")
	unchanged()

	follower.Kill9() // Its port refuses from now on. Its proxies may not know yet that it is gone.
	c.staysPending(t, ctx, proxies[0], "killed", follower.XDSAddress)
	must(t, c.Delete(ctx, endpointOf(follower)))
	_, err = c.awaitVerdict(ctx, "team", "blocked", good)
	must(t, err)
	unchanged()
}

// staysPending makes sites, one after the other, that a replica holds up which cannot
// be reached. Each takes more than a second to be said, together they take longer
// than the leader waits between two attempts.
func (c *installation) staysPending(t *testing.T, ctx context.Context, p *proxy, name, address string) {
	t.Helper()
	for n := range 3 {
		site := fmt.Sprintf("%s-%d", name, n)
		c.live(t, ctx, p, "team", site, site+".example.com")
		c.awaitPending(t, ctx, site, "replica "+address+" cannot be reached")
	}
}

func endpointOf(r *replica) *unstructured.Unstructured {
	return cluster.Named("discovery.k8s.io/v1", "EndpointSlice", serverNamespace, r.name)
}

// testPathThatRefuses: something between the leader and a follower answers for it with
// resets, and then refuses connections, as firewalls do. The follower's Envoy is
// stopped meanwhile, so that nothing new is served by all.
func testPathThatRefuses(t *testing.T, ctx context.Context, c *installation, replicas []*replica, proxies []*proxy) {
	leader, follower := replicas[0], replicas[1]
	address := net.JoinHostPort(netns.Addr(8), xdsPort)
	open := func() *link.Proxy {
		way, err := link.Listen(address, follower.XDSAddress)
		must(t, err)
		t.Cleanup(func() { way.Close() })
		return way
	}
	heard := func(from int, address string) {
		t.Helper()
		_, err := leader.Log.Wait(ctx, from, func(e operator.Entry) bool {
			return strings.HasPrefix(e.Message, "a replica tells") && e.Field("replica") == address
		})
		must(t, err)
	}
	way, from := open(), leader.Log.Len()
	must(t, c.apply(ctx, endpointYAML(follower.name, address)))
	heard(from, address)
	unchanged := c.unchanged(t, ctx, "old")

	must(t, proxies[1].Process().Signal(syscall.SIGSTOP))
	way.Break()
	c.staysPending(t, ctx, proxies[0], "reset", address)
	must(t, way.Close())
	c.staysPending(t, ctx, proxies[0], "refused", address)
	unchanged()

	open()
	must(t, proxies[1].Process().Signal(syscall.SIGCONT))
	for _, name := range []string{"reset-0", "reset-2", "refused-0", "refused-2"} {
		_, err := c.awaitVerdict(ctx, "team", name, good)
		must(t, err)
	}
	unchanged()
	from = leader.Log.Len()
	must(t, c.apply(ctx, endpointYAML(follower.name, follower.XDSAddress)))
	heard(from, follower.XDSAddress)
}

// testLeaderGone: a leader that is gone without a word, and still an endpoint of
// its Service. Who follows it knows nothing of its proxies, and leaves alone what
// it wrote.
func testLeaderGone(t *testing.T, ctx context.Context, c *installation, replicas []*replica, proxies []*proxy) {
	old, leader := replicas[0], replicas[1]
	var unchanged []func()
	names := []string{"old", "slow", "blocked"}
	for _, name := range names {
		unchanged = append(unchanged, c.unchanged(t, ctx, name))
	}
	must(t, old.Process().Signal(syscall.SIGSTOP))
	must(t, leader.leads(ctx, 0))
	c.live(t, ctx, proxies[1], "team", "next", "next.example.com")
	c.awaitPending(t, ctx, "next", "1 of 1 serving proxies", "replica "+old.XDSAddress+" cannot be reached")

	old.Kill9()
	c.staysPending(t, ctx, proxies[1], "left", old.XDSAddress)
	must(t, c.Delete(ctx, endpointOf(old)))
	_, err := c.awaitVerdict(ctx, "team", "next", good)
	must(t, err)
	for _, check := range unchanged {
		check()
	}
	for _, name := range names {
		if writes := c.requests(t, leader.token, statusWritesOf("team", name)); len(writes) > 0 {
			t.Errorf("the new leader writes: %+v", writes)
		}
	}
}

// TestReplicasTLS: replicas ask each other with mutual TLS. One whose certificate is
// not a replica's is not heard, and so no site becomes programmed.
func TestReplicasTLS(t *testing.T) {
	ctx := bounded(t, 2*time.Minute)
	c := install(t, ctx)
	operators, ingress := credentialstest.NewCA("operators"), credentialstest.NewCA("ingress")
	dir := t.TempDir()
	later := time.Now().Add(time.Hour)
	credentialstest.Mount(filepath.Join(dir, "proxies"), map[string][]byte{"ca.crt": credentialstest.PEM(ingress)})
	start := func(n int, pair credentialstest.Pair) *replica {
		t.Helper()
		server := filepath.Join(dir, fmt.Sprintf("server-%d", n))
		credentialstest.Mount(server, pair.Files(operators))
		plain, locked := fmt.Sprintf("127.0.0.1:%d", 9000+n), net.JoinHostPort(netns.Addr(9), fmt.Sprint(9440+n))
		r := c.startReplica(t, ctx, n, "", "--xds-bind-address="+plain, "--xds-tls-bind-address="+locked, "--xds-inspect-bind-address=0",
			"--xds-tls-dir="+server, "--xds-tls-proxy-ca="+filepath.Join(dir, "proxies/ca.crt"),
			"--xds-tls-proxy-san="+proxySANs+"*", "--xds-tls-replica-san="+serverSAN)
		r.XDSAddress = plain // its own Envoy's way; that of the others is:
		must(t, c.apply(ctx, strings.Replace(endpointYAML(r.name, locked), "grpc-xds,", "grpc-xds-tls,", 1)))
		return r
	}
	leader := start(1, operators.Issue(later, serverSAN))
	must(t, leader.leads(ctx, 0))
	follower := start(2, operators.Issue(later, serverSAN))
	first, second := leader.startEnvoy(t, ctx, "envoy-1"), follower.startEnvoy(t, ctx, "envoy-2")
	c.live(t, ctx, first, "team", "one", "one.example.com")
	_, err := c.awaitVerdict(ctx, "team", "one", good)
	must(t, err)
	must(t, awaitAnswer(ctx, second.address, "one.example.com", http.StatusOK, "one-1"))
	_, err = leader.Log.Wait(ctx, 0, func(e operator.Entry) bool {
		return e.Message == "connected with TLS" && e.Field("role") == "replica" && strings.HasSuffix(e.Field("peer"), ":9442")
	})
	must(t, err)

	from := leader.Log.Len()
	start(3, ingress.Issue(later, proxySANs+"pretender"))
	_, err = leader.Log.Wait(ctx, from, func(e operator.Entry) bool {
		return strings.HasPrefix(e.Message, "cannot reach a replica") && strings.Contains(e.Field("error"), "is a proxy, and no server")
	})
	must(t, err)
	c.live(t, ctx, first, "team", "two", "two.example.com")
	c.awaitPending(t, ctx, "two", "9443 cannot be reached")
}
