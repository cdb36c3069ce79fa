package explain

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// Facts are what was read, and what could not be.
type Facts struct {
	Target Target

	// Options are those that the server is believed to have. Where what it serves
	// says otherwise, that counts.
	Options translate.Options

	Source   string // where the objects are, such as "the folder testdata/sites"
	Unread   string // why no StaticSite could be read; empty if they were
	Objects  map[object.Ref]object.Object
	Statuses map[object.Key]v1alpha1.StaticSiteStatus // of sites; nil: the source keeps none
	Known    []Neighbour                              // sites that could have been meant

	// BackendUnread is why the site's Service or its EndpointSlices could not be
	// read; empty if they were.
	BackendUnread string

	Notes []string // what else is worth a line, such as a mistake in a file

	Servers []Server
	Proxies []Proxy // the clients of all servers
}

// Neighbour is a site and the domain that it names.
type Neighbour struct {
	Domain string
	Site   object.Key
}

// Server is a server that was asked what its clients hold.
type Server struct {
	Address string `json:"address"`         // host:port
	Error   string `json:"error,omitempty"` // why it did not say
}

// Proxy is a connected client of a server.
type Proxy struct {
	Server  string // the server's address
	Node    string // its node id, not unique
	Address string // its own
	Silent  bool   // it does not read what it is sent, so nothing else is known of it

	// Holdings are what it asked for, of the names that were asked about.
	Holdings []Holding
}

// Holding is what a client has of one resource in its newest version.
type Holding struct {
	Type    string // type URL
	Name    string
	State   State
	Error   string        // the client's words
	Message proto.Message // nil if not known
	Has     bool          // it has some version, this one or an older one
}

// State is how far a resource has come.
type State string

// The states. Of all but the first the client has what it had before, if anything.
const (
	Acknowledged State = "acknowledged"
	Sent         State = "sent"        // and not answered yet
	Waiting      State = "waiting"     // not sent yet
	Refused      State = "refused"     // never sent again in this version
	TriedAgain   State = "tried again" // it was in a refused response
	Missing      State = "missing"     // the server does not have it
	NotAsked     State = "not asked for"
	Silent       State = "silent"      // the client does not read
	NotServing   State = "not serving" // it has no listener or asks for no routes, so nothing else matters
)

// asks reports whether the client asks for any resource of a type, as far as its
// holdings tell.
func (p *Proxy) asks(typ string) bool {
	return slices.ContainsFunc(p.Holdings, func(h Holding) bool { return h.Type == typ && h.State != NotAsked })
}

// lacks says what a proxy lacks to serve any site, empty if nothing is known to.
func (p *Proxy) lacks() string {
	for _, h := range p.Holdings {
		switch {
		case h.Type != listenerURL || h.Has:
		case h.Error != "":
			return "a proxy refuses its listener, and is asked again; Envoy says: " + h.Error
		case h.State != Acknowledged:
			return "a proxy does not acknowledge its listener"
		}
	}
	for _, h := range p.Holdings {
		if (h.Type == scopeURL || h.Type == tableURL) && h.State == NotAsked && !p.asks(h.Type) {
			return "a proxy does not ask for routes"
		}
	}
	return ""
}

// holding returns what the proxy has of a resource.
func (p *Proxy) holding(r translate.ResourceName) Holding {
	for _, h := range p.Holdings {
		if h.Type == r.Type && h.Name == r.Name {
			return h
		}
	}
	return Holding{Type: r.Type, Name: r.Name, State: Missing}
}
