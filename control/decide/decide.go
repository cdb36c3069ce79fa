package decide

import (
	"cmp"
	"fmt"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/control/fleet"
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/sitestatus"
	"my-company.com/staticsite-operator/translate"
)

const (
	isTrue  = "True"
	isFalse = "False"
	unknown = "Unknown"
)

// Site is what is known of a site itself.
type Site struct {
	Key        object.Key
	UID        string // of the object
	Generation int64
	Domains    []string // that it holds

	Accepted, ResolvedRefs translate.Condition

	Withheld  string // why one of its resources cannot be sent; empty: all can
	Endpoints translate.Endpoints
	Deserted  bool // it has had no endpoint for a while

	// Invariant: not both.
	Settled bool // every proxy of every replica acknowledged it
	Heir    bool // it is what it was when this replica began to speak for it, and not settled since
}

// Own is what this replica knows of its own proxies as far as one site is concerned.
// Two that are equal lead to the same status.
type Own struct {
	holdings.Holding
	Serving int    // proxies that serve
	Why     string // no proxy serves, here or elsewhere, and this is why; empty: one does, or it is not known
}

// Decision is how a site stands, before it is put in words for its owner (see Status).
type Decision struct {
	site       *Site
	accepted   sitestatus.Condition
	programmed sitestatus.Condition

	gist      string // for other conditions, if programmed has a proxy's words: these stand once in a status
	proxies   int    // serving proxies that have acknowledged exactly this
	inherited bool   // programmed is undecided only for want of news, and may have been decided before this replica had a say
}

// Decide says how a site stands: whether its specification is accepted, and whether
// every serving proxy of every replica acknowledged exactly what this generation of
// the site means. It only reads what it is given.
func Decide(s *Site, own Own, others fleet.Opinion) Decision {
	d := Decision{site: s, accepted: s.acceptance(), programmed: sitestatus.Condition{Type: v1alpha1.ConditionProgrammed, Status: isFalse}}
	p := &d.programmed
	if d.accepted.Status != isTrue {
		p.Reason, p.Message = v1alpha1.ReasonNotSent, v1alpha1.MessageNotSent
		return d
	}
	total, refused := own.Serving+others.Serving, own.Refused+others.Refused
	acknowledged, missing := own.Acknowledged+others.Acknowledged, others.Missing
	switch {
	case refused > 0:
		d.proxies, p.Reason = max(0, total-refused), v1alpha1.ReasonRejected
		p.Message, d.gist = v1alpha1.MessageRejected(refused, max(total, refused), cmp.Or(own.Words, others.Words))
		return d
	case s.Settled && own.Trying+others.Trying == 0:
		d.proxies, d.programmed = total, programmed
		return d
	}
	p.Status, p.Reason, d.proxies, d.inherited = unknown, v1alpha1.ReasonPending, acknowledged, s.Heir
	switch {
	case others.Following:
		p.Message = "the other replicas of the control plane have not been asked yet"
	case total == 0 && missing == "" && own.Why != "":
		p.Reason = v1alpha1.ReasonNotServing
		p.Message, d.gist = v1alpha1.MessageNotServing(own.Why)
	case total == 0 && missing == "":
		p.Reason, p.Message = v1alpha1.ReasonNoProxies, v1alpha1.MessageNoProxies
	default:
		p.Message = v1alpha1.MessagePending(acknowledged, total) + missing
	}
	return d
}

// Undecided reports whether there is nothing to say yet but that the site is under way.
func (d Decision) Undecided() bool { return d.programmed.Status == unknown }

// programmed is the condition that holds for every settled site. It has no
// numbers: they would rewrite it in all sites whenever a proxy comes or goes.
var programmed = sitestatus.Condition{
	Type: v1alpha1.ConditionProgrammed, Status: isTrue, Reason: v1alpha1.ReasonProgrammed, Message: v1alpha1.MessageProgrammed,
}

// acceptance is translation's verdict, and whether what it made is valid.
func (s *Site) acceptance() sitestatus.Condition {
	accepted := decided(v1alpha1.ConditionAccepted, s.Accepted)
	if s.Withheld != "" && accepted.Status == isTrue {
		accepted.Status, accepted.Reason = isFalse, v1alpha1.ReasonInvalidConfiguration
		accepted.Message = fmt.Sprintf("the configuration made of this site is not valid, so the last valid one stays: %s", s.Withheld)
	}
	return accepted
}

// decided is a condition that translation has decided.
func decided(typ string, c translate.Condition) sitestatus.Condition {
	status := isFalse
	if c.OK {
		status = isTrue
	}
	return sitestatus.Condition{Type: typ, Status: status, Reason: c.Reason, Message: c.Message}
}
