package control

import (
	"cmp"
	"fmt"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/sitestatus"
)

// programming is the condition Programmed of a site, and what else follows from what
// proxies hold.
type programming struct {
	sitestatus.Condition
	gist      string // for other conditions, if the message has a proxy's words: these stand once in a status
	proxies   int    // serving proxies that have acknowledged exactly this
	inherited bool   // it is undecided only for want of news, and may have been decided before this replica had a say
}

// programmed says whether every serving proxy of every replica acknowledged exactly
// what this generation of the site means.
func (j *join) programmed(s *site, accepted sitestatus.Condition) programming {
	p := programming{Condition: sitestatus.Condition{Type: v1alpha1.ConditionProgrammed, Status: isFalse}}
	if accepted.Status != isTrue {
		p.Reason, p.Message = v1alpha1.ReasonNotSent, v1alpha1.MessageNotSent
		return p
	}
	total, h := j.total(), j.holdingOfAll(s)
	switch {
	case h.Refused > 0:
		p.Reason, p.proxies = v1alpha1.ReasonRejected, max(0, total-h.Refused)
		p.Message, p.gist = v1alpha1.MessageRejected(h.Refused, max(total, h.Refused), h.Words)
		return p
	case s.settled && h.Trying == 0:
		return programming{Condition: programmed, proxies: total}
	}
	p.Status, p.Reason, p.proxies, p.inherited = unknown, v1alpha1.ReasonPending, h.Acknowledged, s.heir
	missing := j.missing(s)
	switch {
	case j.following:
		p.Message = "the other replicas of the control plane have not been asked yet"
	case total == 0 && missing == "" && j.why != "":
		p.Reason = v1alpha1.ReasonNotServing
		p.Message, p.gist = v1alpha1.MessageNotServing(j.why)
	case total == 0 && missing == "":
		p.Reason, p.Message = v1alpha1.ReasonNoProxies, v1alpha1.MessageNoProxies
	default:
		p.Message = v1alpha1.MessagePending(h.Acknowledged, total) + missing
	}
	return p
}

// extent is how far an open site is: all that its status is made of besides its
// verdict.
type extent struct {
	holdings.Holding
	proxies int
	missing string
	why     string
}

func (j *join) extentOf(s *site) extent {
	return extent{j.holdingOfAll(s), j.total(), j.missing(s), j.why}
}

// programmed is the condition that holds for every settled site. It has no
// numbers: they would rewrite it in all sites whenever a proxy comes or goes.
var programmed = sitestatus.Condition{
	Type: v1alpha1.ConditionProgrammed, Status: isTrue, Reason: v1alpha1.ReasonProgrammed, Message: v1alpha1.MessageProgrammed,
}

// holding is what our proxies hold of a site.
func (j *join) holding(s *site) holdings.Holding {
	h := holdings.Holding{Settled: s.held}
	h.Refused, h.Trying, h.Words = j.excepted(s)
	for seq, n := range j.held {
		if seq >= s.seq {
			h.Acknowledged += n
		}
	}
	h.Acknowledged = max(0, h.Acknowledged-h.Refused-h.Trying)
	return h
}

// holdingOfAll is what the proxies of all replicas hold of a site.
func (j *join) holdingOfAll(s *site) holdings.Holding {
	all, words, first := j.holding(s), "", ""
	for name, r := range j.replicas {
		h := r.holding(s.version)
		all.Acknowledged += h.Acknowledged
		all.Refused += h.Refused
		all.Trying += h.Trying
		if h.Words != "" && (first == "" || name < first) {
			words, first = h.Words, name
		}
	}
	all.Words = cmp.Or(all.Words, words)
	return all
}

// excepted returns how many of our proxies refuse a resource of the site, how many
// are still being asked again after a refusal, and the first refusal's words.
//
// A refusal of a resource that several sites share is about those of them that
// changed since the proxy acknowledged it: what the others are, it has. One of an
// older form is about no site that has changed since.
func (j *join) excepted(s *site) (refused, trying int, words string) {
	if len(j.exceptions) == 0 {
		return 0, 0, ""
	}
	proxies := make(map[uint64]bool) // true: refused
	first := uint64(0)
	for _, name := range s.resources {
		for id, e := range j.exceptions[name] {
			if len(j.users[name]) > 1 && s.seq <= e.since || s.seq > j.proxies[id].Types[name.Type].Acked {
				continue
			}
			proxies[id] = proxies[id] || e.Refused
			if e.Refused && (first == 0 || id <= first) {
				first, words = id, e.Reason
			}
		}
	}
	for _, r := range proxies {
		if r {
			refused++
		} else {
			trying++
		}
	}
	return refused, trying, words
}

// missing names the replicas of which it is not known that their proxies hold the
// site for another reason than that these are slow.
func (j *join) missing(s *site) string {
	if j.lost() {
		return "; this replica is not among the endpoints of its own Service (--replicas-service), so the others are not known"
	}
	text := ""
	for _, group := range []struct {
		names []string
		one   string
	}{
		{j.named(func(r *replica) bool { return r.state == holdings.Silent }),
			"; replica %s cannot be reached, so what its proxies hold is not known"},
		{j.named(func(r *replica) bool { return r.differs(s.version, j.build) }),
			"; replica %s is of another version of the control plane, and is waited for until all are of one"},
		{j.named(func(r *replica) bool { return r.behind(s.version) && r.build == j.build }),
			"; replica %s does not know of this generation yet"},
	} {
		for _, name := range group.names {
			text += fmt.Sprintf(group.one, name)
		}
	}
	return text
}
