package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"my-company.com/staticsite-operator/holdings"
)

// Fleet is what is known of the other replicas of this program. Only the leader
// knows of others: it is told who they are by Lead, and what they say by Hear.
//
// A replica that was never told to follow is alone, and speaks for itself.
type Fleet struct {
	build string // of this replica, for people

	// following says that another replica speaks for the sites, or none does.
	//
	// Invariant: replicas is nil while following, and while this replica is alone.
	following bool
	replicas  map[string]*replica // the others and this one, by name
}

// Opinion is what is known of the other replicas as far as one site is concerned.
// Two that are equal lead to the same status.
type Opinion struct {
	holdings.Holding // of the proxies of all other replicas together; never Settled

	Serving   int    // proxies that serve, of all other replicas
	Following bool   // nobody was asked: this replica does not lead
	Missing   string // which replicas may not have been able to say that their proxies hold it, as the end of a sentence
}

// News is what has to be looked at again after something was heard.
type News struct {
	Versions []holdings.SiteVersion // of which something else is said
	All      bool                   // and every site that is not settled
}

// Alone returns what a replica knows that has no others.
func Alone() *Fleet { return &Fleet{} }

// Name notes the version of this program, for people.
func (f *Fleet) Name(build string) { f.build = build }

// Following reports whether this replica does not speak for the sites.
func (f *Fleet) Following() bool { return f.following }

// Follow leaves it to others to speak.
func (f *Fleet) Follow() { f.following, f.replicas = true, nil }

// Lead begins to speak for all replicas, or takes which there are now. It returns the
// versions of which those said something that are no replicas any more.
func (f *Fleet) Lead(names []string) (versions []holdings.SiteVersion) {
	if f.following {
		f.following, f.replicas = false, make(map[string]*replica)
	}
	for name, r := range f.replicas {
		if !slices.Contains(names, name) {
			delete(f.replicas, name)
			versions = slices.AppendSeq(versions, maps.Keys(r.except))
		}
	}
	for _, name := range names {
		if f.replicas[name] == nil {
			f.replicas[name] = &replica{}
		}
	}
	return versions
}

// Hear takes a report. It returns false if the report is no news: the replica has
// left, somebody else leads, or nothing is different.
func (f *Fleet) Hear(report holdings.Report) (news News, _ bool) {
	r := f.replicas[report.Replica]
	if r == nil || report.State != holdings.Heard && report.State == r.state {
		return News{}, false
	}
	before := *r
	r.state = report.State
	if report.State != holdings.Silent {
		r.proxies, r.why = report.Proxies, report.Why
	}
	if report.Reset {
		r.build = report.Build
	}
	if report.Reset || report.State == holdings.Vacant || report.State == holdings.Self {
		r.forget()
	}
	for version, h := range report.Sites {
		r.take(version, h)
	}
	if news.All = report.Reset || before.state != r.state || (before.proxies == 0) != (r.proxies == 0); !news.All {
		news.Versions = slices.Collect(maps.Keys(report.Sites))
		return news, true
	}
	news.Versions = slices.Collect(maps.Keys(before.except))
	news.Versions = slices.AppendSeq(news.Versions, maps.Keys(r.except))
	return news, true
}

// Holds reports whether every proxy of every other replica has a site. Only who
// speaks for all can say.
func (f *Fleet) Holds(version holdings.SiteVersion) bool {
	if f.following || f.lost() {
		return false
	}
	for _, r := range f.replicas {
		if r.state == holdings.Silent || !r.holds(version) {
			return false
		}
	}
	return true
}

// Deaf reports whether it is not known which proxies other replicas have. As long as
// that is so no site becomes settled.
func (f *Fleet) Deaf() bool { return f.lost() || f.any(holdings.Silent) }

// Serving is how many proxies the other replicas serve, as far as is known.
func (f *Fleet) Serving() (n int) {
	for _, r := range f.replicas {
		n += r.connected()
	}
	return n
}

// Why returns why a proxy of another replica does not serve, though it is connected;
// empty if none is known.
func (f *Fleet) Why() string {
	for _, name := range slices.Sorted(maps.Keys(f.replicas)) {
		if r := f.replicas[name]; r.state == holdings.Heard && r.why != "" {
			return r.why
		}
	}
	return ""
}

// Of returns what is known of a site.
func (f *Fleet) Of(version holdings.SiteVersion) Opinion {
	o, first := Opinion{Following: f.following, Missing: f.missing(version)}, ""
	for name, r := range f.replicas {
		h := r.holding(version)
		o.Serving += r.connected()
		o.Acknowledged += h.Acknowledged
		o.Refused += h.Refused
		o.Trying += h.Trying
		if h.Words != "" && (first == "" || name < first) {
			o.Words, first = h.Words, name
		}
	}
	return o
}

// missing names the replicas of which it is not known that their proxies hold the
// site for another reason than that these are slow.
func (f *Fleet) missing(version holdings.SiteVersion) string {
	if f.lost() {
		return "; this replica is not among the endpoints of its own Service (--replicas-service), so the others are not known"
	}
	type note struct {
		about int // in missingTexts
		name  string
	}
	var notes []note
	for name, r := range f.replicas {
		switch {
		case r.state == holdings.Silent:
			notes = append(notes, note{0, name})
		case !r.behind(version):
		case r.build != f.build: // What two builds make of a site may never be equal.
			notes = append(notes, note{1, name})
		default:
			notes = append(notes, note{2, name})
		}
	}
	slices.SortFunc(notes, func(a, b note) int { return cmp.Or(a.about-b.about, cmp.Compare(a.name, b.name)) })
	text := ""
	for _, n := range notes {
		text += fmt.Sprintf(missingTexts[n.about], n.name)
	}
	return text
}

var missingTexts = [...]string{
	"; replica %s cannot be reached, so what its proxies hold is not known",
	"; replica %s is of another version of the control plane, and is waited for until all are of one",
	"; replica %s does not know of this generation yet",
}

// lost reports whether this replica is to speak for all and is not itself among them:
// what it was told of the others is about something else.
func (f *Fleet) lost() bool { return f.replicas != nil && !f.any(holdings.Self) }

// any reports whether some replica is in a state.
func (f *Fleet) any(state holdings.ReplicaState) bool {
	for _, r := range f.replicas {
		if r.state == state {
			return true
		}
	}
	return false
}
