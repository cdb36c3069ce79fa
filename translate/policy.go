package translate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// A policy is one SiteDomainPolicy.
type policy struct {
	name string

	// good is its last valid specification: a mistake in a policy gives nobody a
	// domain, and takes none away. Nil when none was seen; the policy does nothing
	// then.
	good *goodPolicy
}

// goodPolicy is a policy's specification in normal form, all of it valid.
type goodPolicy struct {
	reserves bool
	selector labels.Selector
	domains  []DomainMatch
}

// judgePolicy checks every field of a policy. The result is nil if there are
// problems.
func judgePolicy(p *Policy) (*goodPolicy, []PolicyProblem) {
	var problems []PolicyProblem
	refuse := func(field, problem string) {
		problems = append(problems, PolicyProblem{p.Key, field, problem})
	}
	good := &goodPolicy{reserves: p.Mode == string(v1alpha1.PolicyReserve)}
	if !good.reserves && p.Mode != string(v1alpha1.PolicyPermit) {
		refuse("spec.mode", fmt.Sprintf("%s is no mode: write %s or %s", quote(p.Mode), v1alpha1.PolicyPermit, v1alpha1.PolicyReserve))
	}
	var err error
	if good.selector, err = metav1.LabelSelectorAsSelector(&p.Selector); err != nil {
		refuse("spec.namespaceSelector", err.Error()+": write a label selector, such as matchLabels: {team: docs}")
	}
	if len(p.Domains) == 0 {
		refuse("spec.domains", "is empty: write the domains that the policy is about, each as exact or suffix")
	}
	for i, written := range p.Domains {
		match, field, err := parseMatch(written)
		if err != nil {
			refuse(fmt.Sprintf("spec.domains[%d]%s", i, field), err.Error())
		}
		good.domains = append(good.domains, match)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return good, nil
}

// parseMatch returns the normal form of one item of spec.domains; with an error,
// also the field below the item that is wrong.
func parseMatch(m DomainMatch) (normal DomainMatch, field string, err error) {
	switch {
	case (m.Exact == "") == (m.Suffix == ""):
		return m, "", errors.New("write exact or suffix, one of the two; for several domains write several items")
	case strings.HasPrefix(m.Exact, "*."):
		return m, ".exact", fmt.Errorf("%s has a wildcard: write suffix: %s, which is that domain and all below it", quote(m.Exact), quote(m.Exact[2:]))
	case m.Exact != "":
		normal.Exact, err = parseDomain(m.Exact)
		return normal, ".exact", err
	}
	normal.Suffix, err = parseSuffix(m.Suffix)
	return normal, ".suffix", err
}

// parseSuffix is parseDomain for a domain that stands for all below it, too. It
// may be a short one that nobody serves, such as com.
func parseSuffix(s string) (string, error) {
	if bare := strings.TrimLeft(s, "*."); bare != s {
		return "", fmt.Errorf("%s: write %s, which is that domain and all below it", quote(s), quote(bare))
	}
	if d := strings.ToLower(strings.TrimSuffix(s, ".")); len(d) < shortestDomain && notLabel(d) == "" && !isNumber(d) {
		return d, nil
	}
	return parseDomain(s)
}

// covers says whether the policy is about a domain.
func (g *goodPolicy) covers(domain string) bool {
	return slices.ContainsFunc(g.domains, func(m DomainMatch) bool { return m.covers(domain) })
}

// covers is for normal forms. A suffix covers itself.
func (m DomainMatch) covers(domain string) bool {
	if m.Suffix == "" {
		return domain == m.Exact
	}
	rest, found := strings.CutSuffix(domain, m.Suffix)
	return found && (rest == "" || strings.HasSuffix(rest, "."))
}

// words are how a message names the domains that are meant.
func (m DomainMatch) words() string {
	if m.Suffix == "" {
		return m.Exact
	}
	return m.Suffix + " and all below it"
}
