package translate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// policyFor returns a policy for the namespaces of a team; domains are suffixes,
// or exact with a "=" in front.
func policyFor(team, mode string, domains ...string) *Policy {
	p := &Policy{Key: Key{Name: team + "-policy"}, Mode: mode}
	if team != "" {
		p.Selector.MatchLabels = map[string]string{"team": team}
	}
	for _, d := range domains {
		if exact, isExact := strings.CutPrefix(d, "="); isExact {
			p.Domains = append(p.Domains, DomainMatch{Exact: exact})
		} else {
			p.Domains = append(p.Domains, DomainMatch{Suffix: d})
		}
	}
	return p
}

func namespaceOf(name, team string) *Namespace {
	return &Namespace{Key: Key{Name: name}, Labels: map[string]string{"team": team}}
}

// claim is a site, as old as its name is long.
func claim(namespace, name, domain string) *Site {
	return &Site{Key: Key{Namespace: namespace, Name: name}, Created: time.Unix(int64(len(name)), 0), Domain: domain, Service: "web", Port: 80}
}

func recorded(s *Site, held ...string) *Site {
	s.Held = held
	return s
}

// What policies mean, by who may claim what.
func TestPolicies(t *testing.T) {
	const free = "free.example.org"
	for _, c := range []struct {
		name     string
		policies []*Policy
		may      []string // namespace of a team, and domain
		mayNot   []string
	}{
		{"none", nil, []string{"docs kb.example.com", "guides kb.example.com", "nobody " + free}, nil},
		{"one that permits", []*Policy{policyFor("docs", "Permit", "kb.example.com")},
			[]string{"docs kb.example.com", "docs a.b.kb.example.com", "guides kb.example.com", "guides " + free},
			[]string{"docs " + free, "docs example.com", "docs webkb.example.com"}},
		{"one that reserves", []*Policy{policyFor("docs", "Reserve", "kb.example.com")},
			[]string{"docs kb.example.com", "docs a.b.kb.example.com", "guides webkb.example.com", "guides " + free, "nobody example.com"},
			[]string{"docs " + free, "guides kb.example.com", "nobody a.b.kb.example.com"}},
		{"exact means that domain alone", []*Policy{policyFor("docs", "Reserve", "=kb.example.com")},
			[]string{"docs kb.example.com", "guides en.kb.example.com"},
			[]string{"docs en.kb.example.com", "guides kb.example.com"}},
		{"a part of what is reserved is given away", []*Policy{policyFor("docs", "Reserve", "example.com"), policyFor("guides", "Permit", "guides.example.com")},
			[]string{"docs example.com", "docs guides.example.com", "guides en.guides.example.com", "nobody " + free},
			[]string{"guides example.com", "guides kb.example.com", "guides " + free, "nobody guides.example.com"}},
		{"two that reserve the same share it", []*Policy{policyFor("docs", "Reserve", "example.com"), policyFor("guides", "Reserve", "example.com")},
			[]string{"docs kb.example.com", "guides kb.example.com"}, []string{"nobody kb.example.com"}},
		{"two for one team add up", []*Policy{policyFor("docs", "Permit", "kb.example.com"), func() *Policy { p := policyFor("docs", "Permit", "=docs.example.com"); p.Name = "more"; return p }()},
			[]string{"docs kb.example.com", "docs docs.example.com"}, []string{"docs " + free}},
		{"an empty selector selects all, unknown namespaces too", []*Policy{policyFor("", "Permit", "example.com")},
			[]string{"docs kb.example.com", "nobody kb.example.com", "unknown kb.example.com"}, []string{"docs " + free, "unknown " + free}},
		{"a namespace's name is a label", []*Policy{{Key: Key{Name: "named"}, Mode: "Reserve", Domains: []DomainMatch{{Suffix: "kb.example.com"}},
			Selector: metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": "unknown"}}}},
			[]string{"unknown kb.example.com", "docs " + free}, []string{"docs kb.example.com"}},
		{"normal forms are compared", []*Policy{policyFor("docs", "Reserve", "KB.Example.com.", "=Docs.EXAMPLE.com.")},
			[]string{"docs KB.example.COM.", "docs docs.example.com"}, []string{"guides En.Kb.Example.Com", "guides docs.example.com."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := NewWorld(Options{})
			w.Apply(changesOf(namespaceOf("docs", "docs"), namespaceOf("guides", "guides"), namespaceOf("nobody", "nobody")))
			for _, p := range c.policies {
				if d := w.Apply(changesOf(p)); len(d.Problems) > 0 {
					t.Fatal(d.Problems)
				}
			}
			for want, pairs := range map[string][]string{"Accepted": c.may, "DomainNotPermitted": c.mayNot} {
				for _, pair := range pairs {
					namespace, domain, _ := strings.Cut(pair, " ")
					s := claim(namespace, "main", domain)
					if got := w.Apply(changesOf(s)).Verdicts[0].Accepted.Reason; got != want {
						t.Errorf("%s: %s, want %s", pair, got, want)
					}
					w.Apply(map[Ref]Object{s.Ref(): nil})
				}
			}
		})
	}
}

func TestWhoMayNotClaimIsToldWhy(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(policyFor("docs", "Reserve", "kb.example.com", "=docs.example.com"), namespaceOf("docs", "docs")))
	for _, c := range []struct {
		site *Site
		want string
	}{
		{claim("guides", "main", "en.kb.example.com"), "spec.domain: en.kb.example.com is reserved by SiteDomainPolicy docs-policy, which does not select namespace guides: " +
			"write another domain, or have that policy select this namespace"},
		{claim("docs", "main", "blog.example.com"), "spec.domain: namespace docs may not claim blog.example.com: SiteDomainPolicy docs-policy permits " +
			"kb.example.com and all below it, docs.example.com; write a domain that is permitted, or have this one added there"},
	} {
		v := w.Apply(changesOf(c.site)).Verdicts[0]
		if v.Accepted.OK || v.Accepted.Message != c.want || len(v.Holds) > 0 || len(v.Resources) > 0 {
			t.Errorf("%+v\nwant %s", v, c.want)
		}
	}
}

// The message stays one that a status can hold, however much policies list.
func TestWhoMayNotClaimIsNotToldEverything(t *testing.T) {
	w := NewWorld(Options{})
	for i := range 10 {
		p := policyFor("docs", "Permit")
		p.Name = fmt.Sprintf("p%d", i)
		for j := range 64 {
			p.Domains = append(p.Domains, DomainMatch{Suffix: fmt.Sprintf("%s%d.example.com", strings.Repeat("a.", 100), j)})
		}
		w.Apply(changesOf(p))
	}
	w.Apply(changesOf(namespaceOf("docs", "docs")))
	message := w.Apply(changesOf(docsSite())).Verdicts[0].Accepted.Message
	if len(message) > 5000 || !strings.Contains(message, "59 more") || !strings.Contains(message, "7 more") {
		t.Errorf("%d bytes: %s", len(message), message)
	}
}

func TestInvalidPolicyIsRefused(t *testing.T) {
	in := func(p *Policy, change func(*Policy)) *Policy { change(p); return p }
	for _, c := range []struct {
		policy *Policy
		want   []string
	}{
		{in(policyFor("docs", "Reserve", "a.example.com"), func(p *Policy) { p.Mode = "reserve" }), []string{`spec.mode: "reserve" is no mode: write Permit or Reserve`}},
		{policyFor("docs", "Permit"), []string{"spec.domains: is empty: write the domains that the policy is about, each as exact or suffix"}},
		{policyFor("docs", "Permit", "*.kb.example.com", ".kb.example.com", "=*.kb.example.com", "=kb_1.example.com", "", "=a"), []string{
			`spec.domains[0].suffix: "*.kb.example.com": write "kb.example.com", which is that domain and all below it`,
			`spec.domains[1].suffix: ".kb.example.com": write "kb.example.com", which is that domain and all below it`,
			`spec.domains[2].exact: "*.kb.example.com" has a wildcard: write suffix: "kb.example.com", which is that domain and all below it`,
			`spec.domains[3].exact: "kb_1.example.com" has an underscore, which no host name may have: write a hyphen`,
			`spec.domains[4]: write exact or suffix, one of the two; for several domains write several items`,
			`spec.domains[5].exact: "a" is shorter than 4 characters: write a whole host name, such as docs.example.com`}},
		{in(policyFor("docs", "Permit", "com"), func(p *Policy) { p.Domains[0].Exact = "a.com" }), []string{
			`spec.domains[0]: write exact or suffix, one of the two; for several domains write several items`}},
		{in(policyFor("docs", "Permit", "com"), func(p *Policy) { p.Selector.MatchLabels = map[string]string{"team": "a b"} }), []string{
			`spec.namespaceSelector: `}},
		{in(policyFor("docs", "Permit", "com"), func(p *Policy) {
			p.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Equals", Values: []string{"docs"}}}
		}), []string{`spec.namespaceSelector: `}},
	} {
		problems := NewWorld(Options{}).Apply(changesOf(c.policy)).Problems
		if len(problems) != len(c.want) {
			t.Errorf("%+v: %+v", c.policy, problems)
			continue
		}
		for i, p := range problems {
			if got := p.Field + ": " + p.Problem; p.Policy != c.policy.Key || !strings.HasPrefix(got, c.want[i]) {
				t.Errorf("got  %s\nwant %s", got, c.want[i])
			} else {
				t.Log(got)
			}
		}
	}
}

// A mistake in a policy opens nothing and closes nothing.
func TestInvalidPolicyStaysAsItWas(t *testing.T) {
	w := NewWorld(Options{})
	good := policyFor("docs", "Reserve", "kb.example.com")
	w.Apply(changesOf(good, namespaceOf("docs", "docs"), claim("docs", "main", "kb.example.com"), claim("guides", "main", "kb.example.com")))
	bad := policyFor("docs", "Reserve", "kb_1.example.com")
	expect(t, w.Apply(changesOf(bad)))
	expect(t, w.Apply(changesOf(claim("guides", "another", "en.kb.example.com"))), "verdict guides/another DomainNotPermitted ServiceNotFound")
	// One that was never good does nothing at all.
	never := &Policy{Key: Key{Name: "never"}, Mode: "Reserve", Domains: []DomainMatch{{Suffix: "com"}, {Suffix: "*"}}}
	expect(t, w.Apply(changesOf(never)))
	expect(t, w.Apply(map[Ref]Object{never.Ref(): nil}))
	expect(t, w.Apply(map[Ref]Object{bad.Ref(): nil}),
		"+Cluster guides_web_80_cluster", "+ClusterLoadAssignment guides_web_80_cluster", "+ScopedRouteConfiguration en.kb.example.com",
		"verdict guides/another Accepted ServiceNotFound", "verdict guides/main DomainConflict ServiceNotFound")
}

// A policy that changes under a holder: it serves no more at once, the next one
// who may does, without a moment in which nobody does, and who is served is not
// touched.
func TestPolicyChangesUnderAHolder(t *testing.T) {
	holder, next := recorded(claim("docs", "main", "kb.example.com"), "kb.example.com"), claim("guides", "main", "kb.example.com")
	passes := []string{"-Cluster docs_web_80_cluster", "+Cluster guides_web_80_cluster",
		"-ClusterLoadAssignment docs_web_80_cluster", "+ClusterLoadAssignment guides_web_80_cluster",
		"+ScopedRouteConfiguration kb.example.com", "verdict docs/main DomainNotPermitted ServiceNotFound", "verdict guides/main Accepted ServiceNotFound"}
	returns := []string{"+Cluster docs_web_80_cluster", "-Cluster guides_web_80_cluster",
		"+ClusterLoadAssignment docs_web_80_cluster", "-ClusterLoadAssignment guides_web_80_cluster",
		"+ScopedRouteConfiguration kb.example.com", "verdict docs/main Accepted ServiceNotFound", "verdict guides/main DomainConflict ServiceNotFound"}
	stops := []string{"-Cluster docs_web_80_cluster", "-ClusterLoadAssignment docs_web_80_cluster", "-ScopedRouteConfiguration kb.example.com",
		"verdict docs/main DomainNotPermitted ServiceNotFound", "verdict guides/main DomainNotPermitted ServiceNotFound"}
	gone := func(o Object) map[Ref]Object { return map[Ref]Object{o.Ref(): nil} }
	for _, c := range []struct {
		name   string
		before *Policy // nil: none
		change map[Ref]Object
		want   []string
		undone []string // what undoing the change does, before any status was written
	}{
		{"comes, for somebody else", nil, changesOf(policyFor("guides", "Reserve", "kb.example.com")), passes, returns},
		{"comes, with other domains", nil, changesOf(policyFor("docs", "Permit", "docs.example.com")), passes, returns},
		{"comes, for nobody", nil, changesOf(policyFor("nobody", "Reserve", "example.com")), stops, nil},
		{"is narrowed", policyFor("docs", "Permit", "kb.example.com"), changesOf(policyFor("docs", "Permit", "en.kb.example.com")), passes, returns},
		{"is widened", policyFor("docs", "Reserve", "kb.example.com"), changesOf(policyFor("docs", "Reserve", "example.com")), nil, nil},
		{"is deleted", policyFor("docs", "Reserve", "kb.example.com"), gone(policyFor("docs", "Reserve")), []string{"verdict guides/main DomainConflict ServiceNotFound"}, nil},
		{"changes its mode", policyFor("nobody", "Permit", "kb.example.com"), changesOf(policyFor("nobody", "Reserve", "kb.example.com")), stops, nil},
		{"loses the holder's namespace", policyFor("docs", "Reserve", "kb.example.com"), changesOf(namespaceOf("docs", "guides")), stops[:4], nil},
		{"wins the other's namespace too", policyFor("docs", "Reserve", "kb.example.com"), changesOf(namespaceOf("guides", "docs")),
			[]string{"verdict guides/main DomainConflict ServiceNotFound"}, nil},
		{"loses a namespace that is deleted", policyFor("docs", "Reserve", "kb.example.com"), gone(namespaceOf("docs", "docs")), stops[:4], nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, s := NewWorld(Options{}), newState()
			before := changesOf(namespaceOf("docs", "docs"), namespaceOf("guides", "guides"), holder, next)
			if c.before != nil {
				before[c.before.Ref()] = c.before
			}
			s.mustApply(t, w, before)
			expect(t, s.mustApply(t, w, c.change), c.want...)
			if c.undone == nil {
				return
			}
			undo := make(map[Ref]Object)
			for ref := range c.change {
				undo[ref] = before[ref]
			}
			expect(t, s.mustApply(t, w, undo), c.undone...)
		})
	}
}

// A withheld site keeps what it had, but not against a policy.
func TestWithheldSiteLosesWhatItMayNotClaim(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(docsSite(), docsService()))
	w.Apply(changesOf(withTypo()))
	expect(t, w.Apply(changesOf(policyFor("guides", "Reserve", "example.com"))),
		"-Cluster docs_web_80_cluster", "-ClusterLoadAssignment docs_web_80_cluster", "-ScopedRouteConfiguration docs.example.com",
		"verdict docs/main InvalidDomain ResolvedRefs")
}

// However good a claim is otherwise, it does not win from one that is permitted.
func TestForgedRecordDoesNotWinAgainstAPolicy(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(changesOf(policyFor("docs", "Reserve", "kb.example.com"), namespaceOf("docs", "docs"), claim("docs", "young", "kb.example.com")))
	forged := recorded(claim("guides", "old", "kb.example.com"), "kb.example.com", "example.com")
	expect(t, w.Apply(changesOf(forged)), "verdict guides/old DomainNotPermitted ServiceNotFound")
	forged.Domain = "-" // withheld: it claims what its status says
	expect(t, w.Apply(changesOf(forged)),
		"+ScopedRouteConfiguration example.com (placeholder)", "verdict guides/old InvalidDomain ServiceNotFound")
}

// A policy's change costs the sites that it concerns.
func TestPolicyConcernsFew(t *testing.T) {
	w := NewWorld(Options{})
	w.Apply(manySites(1000))
	expect(t, w.Apply(changesOf(policyFor("nobody", "Reserve", "=site-5.docs.example.com"))),
		"-Cluster team-5_site-5-svc_80_cluster", "-ClusterLoadAssignment team-5_site-5-svc_80_cluster", "-ScopedRouteConfiguration site-5.docs.example.com",
		"verdict team-5/site-5 DomainNotPermitted ResolvedRefs")
	expect(t, w.Apply(changesOf(namespaceOf("team-5", "nobody"))),
		"+Cluster team-5_site-5-svc_80_cluster", "+ClusterLoadAssignment team-5_site-5-svc_80_cluster", "+ScopedRouteConfiguration site-5.docs.example.com",
		"verdict team-5/site-5 Accepted ResolvedRefs")
	expect(t, w.Apply(changesOf(namespaceOf("team-6", "elsewhere"))))
}

// Orders of events by which somebody might get another's domain.
func TestHostileOrders(t *testing.T) {
	const domain = "kb.example.com"
	served := func(t *testing.T, s *state, want string) {
		t.Helper()
		var holders []string
		for _, v := range s.verdicts {
			if slices.Contains(v.Holds, domain) {
				holders = append(holders, v.Site.String())
			}
		}
		if !slices.Equal(holders, []string{want}) {
			t.Fatalf("%s is held by %q, want %s", domain, holders, want)
		}
	}
	t.Run("an older object adds another's domain later", func(t *testing.T) {
		w, s := NewWorld(Options{}), newState()
		s.mustApply(t, w, changesOf(claim("docs", "old", "other.example.com"), recorded(claim("guides", "younger", domain), domain)))
		s.mustApply(t, w, changesOf(claim("docs", "old", domain)))
		served(t, s, "guides/younger")
	})
	t.Run("deleted and made anew while another waits", func(t *testing.T) {
		w, s := NewWorld(Options{}), newState()
		s.mustApply(t, w, changesOf(recorded(claim("docs", "main", domain), domain), claim("guides", "waiting", domain)))
		again := claim("docs", "main", domain)
		again.Created, again.UID = time.Unix(100, 0), "another"
		s.mustApply(t, w, changesOf(again)) // both heard of at once
		served(t, s, "guides/waiting")
	})
	t.Run("in other letters and with a dot", func(t *testing.T) {
		w, s := NewWorld(Options{}), newState()
		s.mustApply(t, w, changesOf(recorded(claim("docs", "main", domain), domain)))
		s.mustApply(t, w, changesOf(claim("guides", "old", "KB.Example.COM."), recorded(claim("guides", "a", "Kb.example.com"), "KB.EXAMPLE.COM")))
		served(t, s, "guides/a") // its record is of the same domain, and it is older
		s.mustApply(t, w, changesOf(claim("guides", "a", "kb.example.com.")))
		served(t, s, "docs/main")
	})
	t.Run("two within one second", func(t *testing.T) {
		for _, order := range [][]*Site{{claim("a", "main", domain), claim("b", "main", domain)}, {claim("b", "main", domain), claim("a", "main", domain)}} {
			w, s := NewWorld(Options{}), newState()
			s.mustApply(t, w, changesOf(order[0]))
			s.mustApply(t, w, changesOf(order[1]))
			served(t, s, "a/main")
		}
	})
	t.Run("a forged record of a younger one", func(t *testing.T) {
		w, s := NewWorld(Options{}), newState()
		s.mustApply(t, w, changesOf(recorded(claim("docs", "main", domain), domain)))
		s.mustApply(t, w, changesOf(recorded(claim("guides", "younger", domain), domain)))
		served(t, s, "docs/main")
	})
	t.Run("a forged record of a domain that is not asked for", func(t *testing.T) {
		w, s := NewWorld(Options{}), newState()
		s.mustApply(t, w, changesOf(recorded(claim("guides", "a", "other.example.com"), "other.example.com", domain), claim("docs", "main", domain)))
		served(t, s, "docs/main")
	})
}
