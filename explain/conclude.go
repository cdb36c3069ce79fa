package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

const conflict = v1alpha1.ReasonDomainConflict

// conclude finds the first thing that is missing, in the order in which a person
// would mend it, and says it in one sentence and one step.
func (x *explainer) conclude() {
	reason, message := x.diagnose()
	x.out.Reason = reason
	x.out.Served = reason == reasonServed || reason == reasonStatusBehind
	words := x.words(message)
	x.out.Verdict = x.sentence(reason, fill(steps[reason].why, words))
	x.out.Next = fill(steps[reason].next, words)
	if reason == reasonNotClaimed {
		x.out.Example = example(x.out.Domain)
	}
}

// diagnose returns why the site is not served, or that it is, and what is to be
// said of it.
func (x *explainer) diagnose() (reason, message string) {
	if !x.known {
		return x.diagnoseNoSite()
	}
	if c := x.said(v1alpha1.ConditionAccepted); x.onlyServerKnows(c) && !x.agrees() {
		return c.Reason, c.Message
	}
	switch {
	case x.accepted.Status != "True":
		return x.accepted.Reason, x.accepted.Message
	case x.resolved.Status == "False":
		return x.resolved.Reason, x.resolved.Message
	case x.noEndpoints():
		return v1alpha1.ReasonNoEndpoints, ""
	case x.programmed.Status != "True":
		return x.programmed.Reason, x.programmed.Message
	case x.elsewhere():
		return reasonElsewhere, x.said(v1alpha1.ConditionProgrammed).Message
	case x.differs:
		return reasonStatusBehind, ""
	}
	return reasonServed, ""
}

// elsewhere reports whether the status, which covers the proxies of all replicas, does
// not say of this generation that all have it.
func (x *explainer) elsewhere() bool {
	c := x.said(v1alpha1.ConditionProgrammed)
	return c.Status != "" && c.Status != "True" && x.Statuses[x.site].ObservedGeneration == x.verdict.Generation
}

// onlyServerKnows reports whether a condition of the status may be right although the
// objects that were read do not show it: nobody else validates what is made of
// them, and policies may not be everyone's to read.
func (x *explainer) onlyServerKnows(c Condition) bool {
	return c.Status == "False" && x.accepted.Status == "True" &&
		(c.Reason == v1alpha1.ReasonInvalidConfiguration || c.Reason == v1alpha1.ReasonDomainNotPermitted)
}

func (x *explainer) diagnoseNoSite() (reason, message string) {
	switch {
	case x.Unread != "":
		return reasonNoObjects, x.Unread
	case x.site != object.Key{}:
		return reasonNoSuchSite, ""
	case x.out.Route != nil: // of proxies, since there is no object
		return reasonServerBehind, x.difference()
	}
	return reasonNotClaimed, ""
}

// said returns a condition as the site's status has it.
func (x *explainer) said(typ string) Condition {
	i := slices.IndexFunc(x.out.Conditions, func(c Condition) bool { return c.From == "status" && c.Type == typ })
	if i < 0 {
		return Condition{}
	}
	return x.out.Conditions[i]
}

// noEndpoints reports whether there is nobody to answer. Of upstreams dns only the
// proxies know.
func (x *explainer) noEndpoints() bool {
	c := x.out.Cluster
	n, _ := countUsed(x.out.Endpoints)
	return c != nil && c.Upstreams == string(translate.UpstreamsEndpoints) && n == 0
}

// sentence is the verdict.
func (x *explainer) sentence(reason, why string) string {
	asked, site := x.out.Asked, "StaticSite "+x.out.Site
	if x.Target.Site != (object.Key{}) {
		asked = x.out.Domain
	}
	switch {
	case x.out.Served:
		return fmt.Sprintf("%s is answered by %s: %s%s", asked, site, x.backend(), x.acknowledged())
	case reason == reasonNoObjects:
		return x.sentenceOfProxies(asked)
	case reason == reasonNotClaimed:
		return fmt.Sprintf("%s is answered with 404: %s", asked, why)
	case reason == reasonServerBehind:
		return fmt.Sprintf("%s is not answered as the objects say: %s", asked, why)
	case x.out.Holder == "" && x.Target.Site == (object.Key{}):
		return fmt.Sprintf("%s is answered with 404: %s names %s, but %s", asked, site, x.out.Domain, why)
	case !x.holds:
		return fmt.Sprintf("%s is not served: %s", site, why)
	case x.noEndpoints() && len(x.proxies) > 0:
		return fmt.Sprintf("%s is answered with 503: it belongs to %s, but %s", asked, site, why)
	case reason == x.programmed.Reason, reason == reasonElsewhere:
		return fmt.Sprintf("%s belongs to %s, but %s: %s%s", asked, site, why, x.backend(), x.acknowledged())
	}
	return fmt.Sprintf("%s belongs to %s, but %s", asked, site, why)
}

// sentenceOfProxies is the verdict where no object could be read.
func (x *explainer) sentenceOfProxies(asked string) string {
	switch r := x.out.Route; {
	case asked == "" || r == nil && len(x.proxies) == 0:
		return fmt.Sprintf("nothing is known of %s: %s", x.out.Asked, x.Unread)
	case r == nil:
		return fmt.Sprintf("%s is answered with 404 by %s; the objects could not be read: %s", asked, proxies(len(x.proxies)), x.Unread)
	default:
		return fmt.Sprintf("%s is answered by StaticSite %s, as the proxies have it: %s%s; the objects could not be read", asked, r.Name, x.backend(), x.acknowledged())
	}
}

// backend says where requests end.
func (x *explainer) backend() string {
	c := x.out.Cluster
	switch {
	case c == nil && x.out.Route != nil && x.out.Route.Status != 0:
		return fmt.Sprintf("the proxies answer %d by themselves", x.out.Route.Status)
	case c == nil:
		return "it leads nowhere"
	case c.Upstreams == string(translate.UpstreamsDNS):
		return fmt.Sprintf("Service %s:%d, whose name the proxies resolve", c.Service, c.Port)
	}
	switch n, draining := countUsed(x.out.Endpoints); {
	case n == 0:
		return fmt.Sprintf("Service %s:%d has no ready endpoint", c.Service, c.Port)
	case draining:
		return fmt.Sprintf("Service %s:%d, no endpoint ready (%d about to end, used until one is)", c.Service, c.Port, n)
	case n == 1:
		return fmt.Sprintf("Service %s:%d, 1 endpoint ready", c.Service, c.Port)
	default:
		return fmt.Sprintf("Service %s:%d, %d endpoints ready", c.Service, c.Port, n)
	}
}

// acknowledged counts the proxies, if there are any, as the end of a list.
func (x *explainer) acknowledged() string {
	total := len(x.proxies)
	if total == 0 {
		return ""
	}
	text := fmt.Sprintf(", acknowledged by %d of %s", total-len(x.behind), proxies(total))
	if n := len(x.idle); n > 0 {
		text += fmt.Sprintf(" (and %d more not serving)", n)
	}
	if n := x.count(Refused); n > 0 {
		text += fmt.Sprintf(", refused by %d", n)
	}
	return text
}

func proxies(n int) string {
	if n == 1 {
		return "1 proxy"
	}
	return fmt.Sprintf("%d proxies", n)
}

// words are what a step may have in braces.
func (x *explainer) words(message string) map[string]string {
	late := x.behind
	if len(x.proxies) == 0 {
		late = x.idle
	}
	var behind []string
	for i, p := range late {
		if i == 3 {
			behind = append(behind, fmt.Sprintf("%d more", len(late)-i))
			break
		}
		behind = append(behind, x.out.proxyName(p))
	}
	words := map[string]string{
		"site": x.out.Site, "namespace": x.site.Namespace, "domain": x.out.Domain, "holder": x.out.Holder, "message": message,
		"service": "", "serviceName": "", "port": "", "server": x.servers(), "behind": strings.Join(behind, ", "), "error": x.firstError(),
	}
	if site, ok := x.Objects[object.Ref{Kind: object.KindSite, Key: x.site}].(*object.Site); ok {
		words["service"], words["serviceName"], words["port"] = site.Namespace+"/"+site.Service, site.Service, strconv.Itoa(int(site.Port))
	}
	return words
}

// proxyName is how a person tells a proxy from the others: by its node id or,
// where others have the same or it has none, by its address too.
func (e *Explanation) proxyName(p ProxyFact) string {
	same := 0
	for _, other := range e.Proxies {
		if other.Node == p.Node {
			same++
		}
	}
	if p.Node != "" && same == 1 {
		return p.Node
	}
	return strings.TrimSpace(p.Node + " at " + p.Address)
}
