package e2e

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"my-company.com/staticsite-operator/e2e/cluster"
)

// TestLeaderElection: all replicas serve, one writes; and one that was stopped for
// longer than its lease, and does not know it, writes nothing.
//
// The two replicas are not of one mind about one site, because one of them allows
// its endpoint. So whoever does not lead always has something to write: it is not
// for want of an occasion that it writes nothing.
func TestLeaderElection(t *testing.T) {
	ctx := bounded(t, 2*time.Minute)
	c := install(t, ctx)
	first := c.startReplica(t, ctx, 1, "")
	must(t, first.leads(ctx, 0))
	second := c.startReplica(t, ctx, 2, "", "--allow-endpoint-cidr=fd00:ec2::254/128")
	one, two := first.startEnvoy(t, ctx, "envoy-1"), second.startEnvoy(t, ctx, "envoy-2")

	c.live(t, ctx, one, "team", "agreed", "agreed.example.com")
	must(t, awaitAnswer(ctx, two.address, "agreed.example.com", http.StatusOK, "agreed-1"))
	must(t, c.apply(ctx, serviceYAML("team", "contested", 80), metadataSlice("team", "contested"),
		siteYAML("team", "contested", "contested.example.com", "contested", 80)))
	firstSays, secondSays := unresolved("EndpointNotAllowed"), good
	_, err := c.awaitVerdict(ctx, "team", "contested", firstSays)
	must(t, err)
	c.live(t, ctx, two, "team", "later", "later.example.com") // so the second one knows of the status above
	_, err = c.awaitVerdict(ctx, "team", "later", good)
	must(t, err)
	if writes := c.requests(t, second.token, isStatusWrite); len(writes) > 0 {
		t.Errorf("who does not lead writes: %+v", writes)
	}

	// The leader stops, and Kubernetes takes it from the Service; the other one
	// serves on, and leads when the lease is over.
	before := len(c.requests(t, first.token, isStatusWrite))
	must(t, first.Process().Signal(syscall.SIGSTOP))
	must(t, c.Delete(ctx, cluster.Named("discovery.k8s.io/v1", "EndpointSlice", serverNamespace, first.name)))
	c.live(t, ctx, two, "team", "meanwhile", "meanwhile.example.com")
	must(t, awaitAnswer(ctx, one.address, "agreed.example.com", http.StatusOK, "agreed-1"))
	must(t, second.leads(ctx, 0))
	_, err = c.awaitVerdict(ctx, "team", "meanwhile", good)
	must(t, err)
	_, err = c.awaitVerdict(ctx, "team", "contested", secondSays)
	must(t, err)

	// The old leader wakes up, and sees what it would not have written.
	from := first.Log.Len()
	must(t, first.Process().Signal(syscall.SIGCONT))
	must(t, c.apply(ctx, endpointYAML(first.name, first.XDSAddress)))
	_, err = first.Log.Wait(ctx, from, saying("leader no more: this replica writes no statuses"))
	must(t, err)
	c.live(t, ctx, one, "team", "after", "after.example.com")
	_, err = c.awaitVerdict(ctx, "team", "after", good)
	must(t, err)
	_, err = c.awaitVerdict(ctx, "team", "contested", secondSays)
	must(t, err)
	if writes := c.requests(t, first.token, isStatusWrite); len(writes) != before {
		t.Errorf("who was the leader writes: %+v", writes[before:])
	}

	// A leader that ends as it should hands over at once.
	second.Stop()
	must(t, first.leads(ctx, from))
	_, err = c.awaitVerdict(ctx, "team", "contested", firstSays)
	must(t, err)
}

func isStatusWrite(r cluster.Request) bool {
	return r.IsWrite() && r.Resource == "staticsites/status"
}

// metadataSlice has an endpoint that the API server lets through and we do not.
func metadataSlice(namespace, service string) string {
	return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ` + service + `-1, namespace: ` + namespace + `, labels: {kubernetes.io/service-name: ` + service + `}}
addressType: IPv6
ports: [{port: 80}]
endpoints: [{addresses: ["fd00:ec2::254"]}]
`
}
