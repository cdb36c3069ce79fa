package claims

import (
	"fmt"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/text"
)

// NotPermitted says to the owners of sites in a namespace why they may not claim a
// domain, and what to write instead.
func (b *Book[S, D]) NotPermitted(namespace, domain string) string {
	if own := b.grants.tenants[namespace].policies; len(own) > 0 {
		return fmt.Sprintf("spec.domain: namespace %s may not claim %s: %s; write a domain that is permitted, or have this one added there",
			namespace, domain, text.List(own, 3, (*policy).permission))
	}
	return fmt.Sprintf("spec.domain: %s is reserved by %s %s, which does not select namespace %s: write another domain, or have that policy select this namespace",
		domain, object.KindPolicy, b.grants.reserver(domain).name, namespace)
}

// permission says what a policy permits the namespaces that it selects.
func (p *policy) permission() string {
	return fmt.Sprintf("%s %s permits %s", object.KindPolicy, p.name, text.List(p.good.domains, 5, words))
}
