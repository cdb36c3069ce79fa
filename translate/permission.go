package translate

import (
	"fmt"
	"strings"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// notPermitted is the condition of a site whose namespace may not claim its
// domain.
func (w *World) notPermitted(namespace, domain string) Condition {
	message := ""
	if own := w.grants.tenants[namespace].policies; len(own) > 0 {
		message = fmt.Sprintf("spec.domain: namespace %s may not claim %s: %s; write a domain that is permitted, or have this one added there",
			namespace, domain, list(own, 3, (*policy).permission))
	} else {
		message = fmt.Sprintf("spec.domain: %s is reserved by %s %s, which does not select namespace %s: write another domain, or have that policy select this namespace",
			domain, KindPolicy, w.grants.reserver(domain).name, namespace)
	}
	return Condition{Reason: v1alpha1.ReasonDomainNotPermitted, Message: message}
}

// permission says what a policy permits the namespaces that it selects.
func (p *policy) permission() string {
	return fmt.Sprintf("%s %s permits %s", KindPolicy, p.name, list(p.good.domains, 5, DomainMatch.words))
}

// list puts things into words, as many as a message can bear.
func list[T any](things []T, most int, words func(T) string) string {
	var all []string
	for _, thing := range things[:min(most, len(things))] {
		all = append(all, words(thing))
	}
	if more := len(things) - most; more > 0 {
		all = append(all, fmt.Sprintf("%d more", more))
	}
	return strings.Join(all, ", ")
}
