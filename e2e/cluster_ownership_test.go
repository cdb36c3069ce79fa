package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/cluster"
	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
	"my-company.com/staticsite-operator/e2e/traffic"
)

// TestOwnership is about whose a domain is. There are two replicas, each with a
// proxy of its own, and at first no SiteDomainPolicy, not even the kind.
func TestOwnership(t *testing.T) {
	ctx := bounded(t, 5*time.Minute)
	o := &ownership{installation: install(t, ctx), pods: make(map[string]*backend.Backend)}
	o.start = func(name string) *backend.Backend { return startPod(t, 1, name) } // for longer than one of the tests below
	must(t, o.Delete(ctx, policyKind()))
	must(t, o.awaitGone(ctx, policyKind()))
	for n := 1; n <= 2; n++ {
		r := o.startReplica(t, ctx, n, "")
		o.proxies = append(o.proxies, r.startEnvoy(t, ctx, fmt.Sprintf("envoy-%d", n)))
	}
	for _, team := range []string{"docs", "guides", "wiki"} {
		must(t, o.label(ctx, team, team))
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, context.Context, *ownership)
	}{
		{"HandOver", testHandOver},
		{"WithinOneSecond", testWithinOneSecond},
		{"KindInstalledLater", testKindInstalledLater},
		{"PolicyChangesUnderAHolder", testPolicyChanges},
		{"ForgedRecord", testForgedRecord},
		{"RefusedPolicies", testRefusedPolicies},
		{"LintOfWhatThereIs", testLintOfWhatThereIs},
		{"KindRemoved", testKindRemoved},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, bounded(t, time.Minute), o) })
	}
}

type ownership struct {
	*installation
	proxies []*proxy
	start   func(name string) *backend.Backend
	pods    map[string]*backend.Backend // by "namespace/name" of the site
}

// policyKind is the CRD of policies.
func policyKind() *unstructured.Unstructured {
	return cluster.Named("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "sitedomainpolicies.platform.my-company.com")
}

func (o *ownership) installPolicies(ctx context.Context) error {
	root, err := parts.Root()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, "manifests", "crd", "platform.my-company.com_sitedomainpolicies.yaml"))
	if err != nil {
		return err
	}
	return o.ApplyYAML(ctx, string(text))
}

func (o *ownership) awaitGone(ctx context.Context, object *unstructured.Unstructured) error {
	return proc.Poll(ctx, func(ctx context.Context) error {
		switch _, err := o.Get(ctx, object); {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		}
		return fmt.Errorf("%s is still there", object.GetName())
	})
}

// label makes a namespace, or labels it anew.
func (o *ownership) label(ctx context.Context, namespace, team string) error {
	return o.apply(ctx, fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {team: %s}}}\n", namespace, team))
}

// policy reserves a suffix for a team.
func policy(mode, team, suffix string) string {
	return fmt.Sprintf(`apiVersion: platform.my-company.com/v1alpha1
kind: SiteDomainPolicy
metadata: {name: %s}
spec:
  mode: %s
  namespaceSelector: {matchLabels: {team: %s}}
  domains: [{suffix: %s}]
`, team, mode, team, suffix)
}

// claim makes a site, or has it ask for another domain. Its pod has its name.
func (o *ownership) claim(t *testing.T, ctx context.Context, namespace, name, domain string) {
	t.Helper()
	pod := o.pods[namespace+"/"+name]
	if pod == nil {
		pod = o.start(namespace + "/" + name)
		o.pods[namespace+"/"+name] = pod
	}
	must(t, o.apply(ctx, serviceYAML(namespace, name, 80), sliceYAML(namespace, name, pod.Address()), siteYAML(namespace, name, domain, name, 80)))
}

// serve waits until every proxy has a domain answered by the pod of a site.
func (o *ownership) serve(ctx context.Context, domain, site string) error {
	for _, p := range o.proxies {
		if err := awaitAnswer(ctx, p.address, domain, http.StatusOK, site); err != nil {
			return err
		}
	}
	return nil
}

func (o *ownership) serveNot(ctx context.Context, domain string) error {
	for _, p := range o.proxies {
		if err := awaitAnswer(ctx, p.address, domain, http.StatusNotFound, ""); err != nil {
			return err
		}
	}
	return nil
}

// underTraffic sends requests to all proxies while something is done. Every one
// must be answered by somebody.
func (o *ownership) underTraffic(t *testing.T, ctx context.Context, domain string, do func()) {
	t.Helper()
	var loads []*traffic.Load
	for i, p := range o.proxies {
		load := traffic.Start(traffic.Options{Address: p.address, Hosts: []string{domain}, Rate: 200, HTTP2: i%2 == 1})
		defer load.Stop()
		must(t, load.WaitSent(ctx, 20))
		loads = append(loads, load)
	}
	do()
	for _, load := range loads {
		must(t, load.WaitSent(ctx, 20))
		report := load.Stop()
		t.Log(report)
		if err := report.Err(); err != nil {
			t.Error(err)
		}
	}
}

func (o *ownership) remove(ctx context.Context, namespace, name string) error {
	return o.Delete(ctx, ref(namespace, name))
}

// testHandOver: whoever lets go of a domain, and however, the next in line serves
// it without a gap.
func testHandOver(t *testing.T, ctx context.Context, o *ownership) {
	const domain = "shared.example.com"
	o.claim(t, ctx, "docs", "shared", domain)
	must(t, o.serve(ctx, domain, "docs/shared"))
	for _, namespace := range []string{"guides", "wiki"} {
		o.claim(t, ctx, namespace, "shared", domain)
		_, err := o.awaitVerdict(ctx, namespace, "shared", invalid("DomainConflict"))
		must(t, err)
		time.Sleep(1100 * time.Millisecond) // an age of their own for each: it is told in seconds
	}
	o.underTraffic(t, ctx, domain, func() {
		o.claim(t, ctx, "docs", "shared", "moved.example.com") // the holder moves
		must(t, o.serve(ctx, domain, "guides/shared"))
		_, err := o.awaitVerdict(ctx, "guides", "shared", good) // it is on record
		must(t, err)
		o.claim(t, ctx, "docs", "shared", domain) // the oldest wants it back
		_, err = o.awaitVerdict(ctx, "docs", "shared", invalid("DomainConflict"))
		must(t, err)
		must(t, o.remove(ctx, "guides", "shared")) // the holder goes: now age counts
		must(t, o.serve(ctx, domain, "docs/shared"))
		_, err = o.awaitVerdict(ctx, "docs", "shared", good)
		must(t, err)
		must(t, o.remove(ctx, "docs", "shared"))
		o.claim(t, ctx, "docs", "shared", domain) // made anew, it is the youngest
		must(t, o.serve(ctx, domain, "wiki/shared"))
		_, err = o.awaitVerdict(ctx, "docs", "shared", invalid("DomainConflict"))
		must(t, err)
	})
	for _, namespace := range []string{"docs", "wiki"} {
		must(t, o.remove(ctx, namespace, "shared"))
	}
}

// testWithinOneSecond: both replicas and the status agree on who of two was first,
// although their ages say that they are equally old.
func testWithinOneSecond(t *testing.T, ctx context.Context, o *ownership) {
	for _, namespace := range []string{"guides", "docs"} {
		for n := range 10 {
			o.claim(t, ctx, namespace, fmt.Sprintf("both-%d", n), fmt.Sprintf("both-%d.example.com", n))
		}
	}
	for n := range 10 {
		name, domain := fmt.Sprintf("both-%d", n), fmt.Sprintf("both-%d.example.com", n)
		holder := ""
		must(t, proc.Poll(ctx, func(ctx context.Context) error {
			var holders []string
			for _, namespace := range []string{"docs", "guides"} {
				site, err := o.site(ctx, namespace, name)
				if err != nil {
					return err
				}
				if len(site.Status.Conditions) == 0 {
					return fmt.Errorf("%s/%s has no status yet", namespace, name)
				}
				if len(site.Status.Domains) > 0 {
					holders = append(holders, namespace+"/"+name)
				}
			}
			if len(holders) != 1 {
				return fmt.Errorf("%s is held by %q", domain, holders)
			}
			holder = holders[0]
			return nil
		}))
		must(t, o.serve(ctx, domain, holder))
	}
}

// testKindInstalledLater: policies come into force without a restart, and those
// who may claim a domain take it over from those who may not, without a gap.
func testKindInstalledLater(t *testing.T, ctx context.Context, o *ownership) {
	const domain = "kb.example.com"
	o.claim(t, ctx, "docs", "kb", domain)
	must(t, o.serve(ctx, domain, "docs/kb"))
	o.claim(t, ctx, "guides", "kb", domain)
	_, err := o.awaitVerdict(ctx, "guides", "kb", invalid("DomainConflict"))
	must(t, err)
	o.underTraffic(t, ctx, domain, func() {
		must(t, o.installPolicies(ctx))
		must(t, o.apply(ctx, policy("Reserve", "guides", domain)))
		must(t, o.serve(ctx, domain, "guides/kb"))
	})
	loser, err := o.awaitVerdict(ctx, "docs", "kb", invalid("DomainNotPermitted"))
	must(t, err)
	says(t, message(loser, "Accepted"), "spec.domain", domain, "SiteDomainPolicy guides", "namespace docs", "write another domain")
	if len(loser.Status.Domains) > 0 || loser.Status.Phase != "Error" {
		t.Errorf("it still holds %v, phase %s", loser.Status.Domains, loser.Status.Phase)
	}
	heir, err := o.awaitVerdict(ctx, "guides", "kb", good)
	must(t, err)
	if got := strings.Join(heir.Status.Domains, ","); got != domain {
		t.Errorf("the heir holds %q", got)
	}
}

// testPolicyChanges goes on from there.
func testPolicyChanges(t *testing.T, ctx context.Context, o *ownership) {
	const domain = "kb.example.com"
	t.Log("narrowed: nobody may claim it any more but those whom no policy selects")
	o.underTraffic(t, ctx, domain, func() {
		must(t, o.apply(ctx, policy("Reserve", "guides", "en.kb.example.com")))
		must(t, o.serve(ctx, domain, "docs/kb"))
	})
	_, err := o.awaitVerdict(ctx, "guides", "kb", invalid("DomainNotPermitted"))
	must(t, err)

	t.Log("widened: others lose it")
	o.underTraffic(t, ctx, domain, func() {
		must(t, o.apply(ctx, policy("Reserve", "guides", "example.com")))
		must(t, o.serve(ctx, domain, "guides/kb"))
	})

	t.Log("relabelled: neither may claim it")
	must(t, o.label(ctx, "guides", "nobody"))
	must(t, o.serveNot(ctx, domain))
	for _, namespace := range []string{"docs", "guides"} {
		_, err := o.awaitVerdict(ctx, namespace, "kb", invalid("DomainNotPermitted"))
		must(t, err)
	}

	t.Log("in another mode: who asks first")
	must(t, o.apply(ctx, policy("Permit", "guides", "example.com")))
	must(t, o.serve(ctx, domain, "docs/kb"))
	_, err = o.awaitVerdict(ctx, "docs", "kb", good)
	must(t, err)

	t.Log("deleted: the holder keeps it")
	o.underTraffic(t, ctx, domain, func() {
		must(t, o.label(ctx, "guides", "guides"))
		must(t, o.Delete(ctx, cluster.Named("platform.my-company.com/v1alpha1", "SiteDomainPolicy", "", "guides")))
		_, err = o.awaitVerdict(ctx, "guides", "kb", invalid("DomainConflict"))
		must(t, err)
	})
	must(t, o.serve(ctx, domain, "docs/kb"))
}

// testForgedRecord: who may write statuses cannot get past a policy, nor take a
// domain from an older holder.
func testForgedRecord(t *testing.T, ctx context.Context, o *ownership) {
	const domain = "own.example.com"
	must(t, o.apply(ctx, policy("Reserve", "docs", "example.com")))
	o.claim(t, ctx, "guides", "own", domain) // the older one, whom nothing but the policy stands against
	_, err := o.awaitVerdict(ctx, "guides", "own", invalid("DomainNotPermitted"))
	must(t, err)
	o.claim(t, ctx, "docs", "own", domain)
	must(t, o.serve(ctx, domain, "docs/own"))
	o.underTraffic(t, ctx, domain, func() {
		_, err := o.kubectl(ctx, "", "patch", "ssite", "own", "-n", "guides", "--subresource=status", "--type=merge",
			"-p", `{"status":{"domains":["own.example.com"]}}`)
		must(t, err)
		must(t, proc.Poll(ctx, func(ctx context.Context) error { // the leader takes it back
			site, err := o.site(ctx, "guides", "own")
			if err == nil && len(site.Status.Domains) > 0 {
				err = fmt.Errorf("the forged status stands: %v", site.Status.Domains)
			}
			return err
		}))
	})
	must(t, o.serve(ctx, domain, "docs/own"))
	if n := o.pods["guides/own"].Requests(); n > 0 {
		t.Errorf("the forger answered %d requests", n)
	}
}

// testRefusedPolicies: the API server's refusal says what to write.
func testRefusedPolicies(t *testing.T, ctx context.Context, o *ownership) {
	const form = `{apiVersion: platform.my-company.com/v1alpha1, kind: SiteDomainPolicy, metadata: {name: refused}, spec: %s}`
	for spec, want := range map[string]string{
		`{mode: Reserve, namespaceSelector: {}, domains: [{exact: a.example.com, suffix: b.example.com}]}`:                           "write exact or suffix, one of the two",
		`{mode: Reserve, namespaceSelector: {}, domains: [{}]}`:                                                                      "write exact or suffix, one of the two",
		`{mode: Reserve, namespaceSelector: {}, domains: [{suffix: "*.example.com"}]}`:                                               "write a plain host name",
		`{mode: Reserve, namespaceSelector: {}, domains: [{suffix: .example.com}]}`:                                                  "write a plain host name",
		`{mode: Reserve, namespaceSelector: {}, domains: [{exact: "a.example.com:80"}]}`:                                             "write a plain host name",
		`{mode: Reserve, namespaceSelector: {}, domains: []}`:                                                                        "should have at least 1 items",
		`{mode: Reserve, domains: [{suffix: example.com}]}`:                                                                          "spec.namespaceSelector",
		`{mode: Deny, namespaceSelector: {}, domains: [{suffix: example.com}]}`:                                                      `"Permit", "Reserve"`,
		`{mode: Permit, namespaceSelector: {matchExpressions: [{key: a, operator: In}]}, domains: [{suffix: com}]}`:                  "In and NotIn need values",
		`{mode: Permit, namespaceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}, domains: [{suffix: com}]}`: "Exists and DoesNotExist have none",
	} {
		if err := o.apply(ctx, fmt.Sprintf(form, spec)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
	out, err := o.kubectl(ctx, "", "get", "sdp")
	must(t, err)
	says(t, strings.Join(strings.Fields(out), " "), "NAME MODE NAMESPACES DOMAINS AGE docs Reserve "+`{"matchLabels":{"team":"docs"}} [{"suffix":"example.com"}]`)
}

// testLintOfWhatThereIs: a policy is tried on what a cluster has, as
// docs/domain-policy.md says. Every problem is of a site, none of how kubectl
// writes.
func testLintOfWhatThereIs(t *testing.T, ctx context.Context, o *ownership) {
	list, err := o.kubectl(ctx, "", "get", "namespaces,staticsites,services,endpointslices,sitedomainpolicies", "-A", "-o", "yaml")
	must(t, err)
	file := filepath.Join(t.TempDir(), "all.yaml")
	must(t, os.WriteFile(file, []byte(list), 0o644))
	binary, err := parts.Operator()
	must(t, err)
	out, _ := exec.CommandContext(ctx, binary, "lint", file).Output() // with an error: there are problems
	says(t, string(out), "StaticSite guides/own: spec.domain: own.example.com is reserved by SiteDomainPolicy docs")
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, ": StaticSite ") || !strings.Contains(line, "spec.domain: ") {
			t.Errorf("lint of what kubectl prints: %s", line)
		}
	}
}

// testKindRemoved: with the kind its policies are gone.
func testKindRemoved(t *testing.T, ctx context.Context, o *ownership) {
	must(t, o.Delete(ctx, policyKind()))
	_, err := o.awaitVerdict(ctx, "guides", "own", invalid("DomainConflict"))
	must(t, err)
	must(t, o.remove(ctx, "docs", "own"))
	must(t, o.serve(ctx, "own.example.com", "guides/own"))
}
