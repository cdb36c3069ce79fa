package control

import (
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/xds"
)

// This file tells the proxies that serve sites from clients that are connected and
// do not: those that refuse their listener (its port is taken), do not ask for
// routes, or have only just begun. Who does not serve holds up nobody and is counted
// as holding nothing. It is named, by a log line and a metric, and by the status of
// every site if nobody serves.

// idle is a connected client that asked for listeners and does not serve.
type idle struct {
	node  string
	since time.Time // connected
	lacks string    // what it does not have, as the end of a sentence
	why   string    // the same once it is told: it was not only beginning; else empty
}

// serves reports whether a proxy answers requests: it has a listener, and has
// answered for the routes. Of routes that it refuses the statuses of their sites say
// more.
func (j *join) serves(p xds.StreamState) bool { return j.lacks(p) == "" }

// lacks says what a client lacks to serve, empty if nothing.
func (j *join) lacks(p xds.StreamState) string {
	listeners, routes := p.Types[xds.Listener], p.Types[j.routes]
	if e := listenerRefusal(p); e != nil {
		return "a proxy refuses its listener, and is asked again; Envoy says: " + e.Reason
	}
	switch {
	case listeners.Acked == 0:
		return "a proxy does not acknowledge its listener"
	case !routes.Active:
		return "a proxy does not ask for routes"
	case routes.Acked == 0:
		return "a proxy does not acknowledge its routes"
	}
	return ""
}

// listenerRefusal returns how a client that has no other listener refused one, or nil.
func listenerRefusal(p xds.StreamState) *xds.Exception {
	for name, e := range p.Exceptions {
		if name.Type == xds.Listener && !e.Older && e.Reason != "" {
			return &e
		}
	}
	return nil
}

// attend takes the state of a client and reports whether it serves. If it is
// connected and does not, it is kept account of.
func (j *join) attend(id uint64, p xds.StreamState, now time.Time) bool {
	i := j.idle[id]
	proxy := !p.Closed && p.Types[xds.Listener].Active // Who asks for no listener is none: a person with grpcurl.
	if !proxy || j.serves(p) {
		if delete(j.idle, id); proxy && i != nil && i.why != "" {
			j.log.Info("proxy serves now", zap.String("node", i.node), zap.Uint64("stream", id))
		}
		return proxy
	}
	if i == nil {
		i = &idle{node: p.Node, since: now}
		j.idle[id] = i
	}
	if i.lacks = j.lacks(p); i.why != "" {
		i.why = i.lacks
	} else if listenerRefusal(p) != nil {
		j.excuse(id, i)
	}
	return false
}

// excuse tells why a client does not serve.
func (j *join) excuse(id uint64, i *idle) {
	i.why = i.lacks
	j.log.Warn("proxy does not serve, and holds up nobody", zap.String("node", i.node), zap.Uint64("stream", id), zap.String("why", i.why))
}

// whyPause is how long what is said of all sites, while nobody serves, stays at
// least: proxies that come and go with other words each time must not rewrite
// every status each time.
const whyPause = time.Minute

// excuseAll tells why clients do not serve that are connected for a while, and finds
// what is to be said of every site if nobody serves.
func (j *join) excuseAll(now time.Time) {
	for id, i := range j.idle {
		if i.why == "" && now.Sub(i.since) > proxiesGrace {
			j.excuse(id, i)
		}
	}
	why := ""
	if j.total() == 0 {
		why = j.firstExcuse()
	}
	switch {
	case j.total() > 0:
		j.why = ""
	case why == "" || why == j.why: // What was said last is the best that is known.
	case j.why == "" || now.Sub(j.whySince) > whyPause:
		j.why, j.whySince, j.stirred = why, now, true
	}
	j.tellProxies()
}

// firstExcuse returns why a client does not serve: one of ours, or else of another
// replica; empty if none is known.
func (j *join) firstExcuse() string {
	for _, id := range slices.Sorted(maps.Keys(j.idle)) {
		if why := j.idle[id].why; why != "" {
			return why
		}
	}
	for _, name := range slices.Sorted(maps.Keys(j.replicas)) {
		if r := j.replicas[name]; r.state == holdings.Heard && r.why != "" {
			return r.why
		}
	}
	return ""
}
