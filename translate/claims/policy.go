package claims

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/hostname"
	"my-company.com/staticsite-operator/translate/text"
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
	domains  []object.DomainMatch
}

// A Problem is one invalid field of a policy.
type Problem struct {
	Policy  object.Key
	Field   string
	Problem string // says what to write instead
}

// judge checks every field of a policy. The result is nil if there are
// problems.
func judge(p *object.Policy) (*goodPolicy, []Problem) {
	var problems []Problem
	refuse := func(field, problem string) {
		problems = append(problems, Problem{p.Key, field, problem})
	}
	good := &goodPolicy{reserves: p.Mode == string(v1alpha1.PolicyReserve)}
	if !good.reserves && p.Mode != string(v1alpha1.PolicyPermit) {
		refuse("spec.mode", fmt.Sprintf("%s is no mode: write %s or %s", text.Quote(p.Mode), v1alpha1.PolicyPermit, v1alpha1.PolicyReserve))
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
func parseMatch(m object.DomainMatch) (normal object.DomainMatch, field string, err error) {
	switch {
	case (m.Exact == "") == (m.Suffix == ""):
		return m, "", errors.New("write exact or suffix, one of the two; for several domains write several items")
	case strings.HasPrefix(m.Exact, "*."):
		return m, ".exact", fmt.Errorf("%s has a wildcard: write suffix: %s, which is that domain and all below it", text.Quote(m.Exact), text.Quote(m.Exact[2:]))
	case m.Exact != "":
		normal.Exact, err = hostname.Parse(m.Exact)
		return normal, ".exact", err
	}
	normal.Suffix, err = hostname.ParseSuffix(m.Suffix)
	return normal, ".suffix", err
}

// covers reports whether the policy is about a domain.
func (g *goodPolicy) covers(domain string) bool {
	return slices.ContainsFunc(g.domains, func(m object.DomainMatch) bool { return covers(m, domain) })
}

// covers reports whether a match, in normal form, is about a domain. A suffix covers
// itself.
func covers(m object.DomainMatch, domain string) bool {
	if m.Suffix == "" {
		return domain == m.Exact
	}
	rest, found := strings.CutSuffix(domain, m.Suffix)
	return found && (rest == "" || strings.HasSuffix(rest, "."))
}

// words is how a message names the domains that are meant.
func words(m object.DomainMatch) string {
	if m.Suffix == "" {
		return m.Exact
	}
	return m.Suffix + " and all below it"
}
