package proxies

import (
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/xds"
)

// This file separates the proxies that serve sites from clients that are connected and
// do not: those that refuse their listener (its port is taken), do not ask for routes,
// or have only just begun. A proxy that does not serve holds up no site and counts as
// holding nothing. It is named: by a log line, by a metric, and, if no proxy serves, by
// the status of every site.

// Grace is how long a connected proxy may take to serve before it is named.
const Grace = 10 * time.Second

// idle is a connected client that asked for listeners and does not serve.
type idle struct {
	node  string
	since time.Time // connected
	lacks string    // what it does not have, as the end of a sentence

	// why is lacks once the client is named: it was not only beginning. Else empty.
	why string
}

// lacks says what a client lacks to serve, that is, to answer requests; empty if
// nothing. A client that refuses routes has answered for them: the statuses of their
// sites say more.
func (t *Table) lacks(p xds.StreamState) string {
	listeners, routes := p.Types[xds.Listener], p.Types[t.routes]
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

// attend takes the state of a client, notes it if it is idle, and reports whether it
// serves.
func (t *Table) attend(id uint64, p xds.StreamState, now time.Time) bool {
	i := t.idle[id]
	proxy := !p.Closed && p.Types[xds.Listener].Active // A client that asks for no listener is none: a person with grpcurl.
	lacks := t.lacks(p)
	if !proxy || lacks == "" {
		if delete(t.idle, id); proxy && i != nil && i.why != "" {
			t.log.Info("proxy serves now", zap.String("node", i.node), zap.Uint64("stream", id))
		}
		return proxy
	}
	if i == nil {
		i = &idle{node: p.Node, since: now}
		t.idle[id] = i
	}
	if i.lacks = lacks; i.why != "" {
		i.why = i.lacks
	} else if listenerRefusal(p) != nil {
		t.name(id, i)
	}
	return false
}

// NameIdle names the clients that are connected for a while and do not serve.
func (t *Table) NameIdle(now time.Time) {
	for id, i := range t.idle {
		if i.why == "" && now.Sub(i.since) > Grace {
			t.name(id, i)
		}
	}
}

// name logs why a client does not serve, and has Why know it.
func (t *Table) name(id uint64, i *idle) {
	i.why = i.lacks
	t.log.Warn("proxy does not serve, and holds up nobody", zap.String("node", i.node), zap.Uint64("stream", id), zap.String("why", i.why))
}

// Why returns why a client that was named does not serve; empty if none was.
func (t *Table) Why() string {
	for _, id := range slices.Sorted(maps.Keys(t.idle)) {
		if why := t.idle[id].why; why != "" {
			return why
		}
	}
	return ""
}
