package explain

import (
	"fmt"
	"strings"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// judgeProgrammed says whether every serving proxy of the servers that were asked has
// what the site needs, in the words of the site's own condition.
func (x *explainer) judgeProgrammed() Condition {
	c := Condition{From: fromProxies, Type: v1alpha1.ConditionProgrammed, Status: "Unknown"}
	total := len(x.proxies)
	switch {
	case !x.verdict.Accepted.OK:
		c.Status, c.Reason, c.Message = "False", v1alpha1.ReasonNotSent, v1alpha1.MessageNotSent
	case x.unasked():
		c.Reason, c.Message = reasonNoServer, "not every server could be asked"
	case total == 0 && len(x.idle) > 0:
		c.Reason = v1alpha1.ReasonNotServing
		c.Message, _ = v1alpha1.MessageNotServing(x.idle[0].Error)
	case total == 0:
		c.Reason, c.Message = v1alpha1.ReasonNoProxies, v1alpha1.MessageNoProxies
	case x.count(Refused) > 0:
		c.Status, c.Reason = "False", v1alpha1.ReasonRejected
		c.Message, _ = v1alpha1.MessageRejected(x.count(Refused), total, x.firstError())
	case x.count(Silent) > 0:
		c.Reason, c.Message = reasonSilent, fmt.Sprintf("%d of %d proxies do not read what they are sent", x.count(Silent), total)
	case x.count(TriedAgain)+x.count(Sent)+x.count(Waiting)+x.count(NotAsked) > 0:
		c.Reason, c.Message = v1alpha1.ReasonPending, v1alpha1.MessagePending(total-len(x.behind), total)
	case !x.agrees() || len(x.behind) > 0:
		c.Reason, c.Message = reasonServerBehind, x.difference()
	default:
		c.Status, c.Reason, c.Message = "True", v1alpha1.ReasonProgrammed, v1alpha1.MessageProgrammed
	}
	return c
}

func (x *explainer) count(s State) (n int) {
	for _, p := range x.behind {
		if p.State == s {
			n++
		}
	}
	return n
}

func (x *explainer) firstError() string {
	for _, p := range x.behind {
		if p.State == Refused {
			return p.Error
		}
	}
	if len(x.idle) > 0 {
		return x.idle[0].Error
	}
	return ""
}

// difference says what servers serve instead of what the objects ask for.
func (x *explainer) difference() string {
	r := x.out.Route
	switch {
	case r == nil || r.From == fromObjects || len(x.behind) > 0:
		return "the server does not have it (" + x.servers() + ")"
	case x.expected == nil:
		return "proxies still serve StaticSite " + r.Name
	case x.expected.Name != r.Name:
		return fmt.Sprintf("proxies serve StaticSite %s, and by the objects it is %s", r.Name, x.expected.Name)
	}
	return fmt.Sprintf("proxies send requests to %s, and by the objects it is %s", leadsTo(r), leadsTo(x.expected))
}

func leadsTo(r *Route) string {
	if r.Cluster == "" {
		return fmt.Sprintf("nobody (they answer %d)", r.Status)
	}
	return "cluster " + r.Cluster
}

func (x *explainer) servers() string {
	addresses := make([]string, len(x.Servers))
	for i, s := range x.Servers {
		addresses[i] = s.Address
	}
	return strings.Join(addresses, ", ")
}

// compare notes where a site's status says something else than what is so now.
func (x *explainer) compare(status v1alpha1.StaticSiteStatus) {
	var differences []string
	switch {
	case x.onlyServerKnows(x.said(v1alpha1.ConditionAccepted)):
	case len(status.Conditions) == 0:
		differences = append(differences, "the site has no status yet")
	case status.ObservedGeneration != x.verdict.Generation:
		differences = append(differences, fmt.Sprintf("the status is about generation %d, and the site is at %d", status.ObservedGeneration, x.verdict.Generation))
	default:
		for _, now := range []Condition{x.accepted, x.resolved, x.programmed} {
			said := x.said(now.Type)
			if now.Reason == reasonNoServer || said.Status == now.Status {
				continue // Nothing is known to hold against it, or it agrees.
			}
			differences = append(differences, fmt.Sprintf("the status says %s=%s (%s), and now it is %s (%s)", now.Type, said.Status, said.Reason, now.Status, now.Reason))
		}
	}
	if x.differs = len(differences) > 0; x.differs {
		x.out.Notes = append(append(x.out.Notes, differences...),
			"the status is late, or no replica leads, or the server has other flags or another version than this command")
	}
}
