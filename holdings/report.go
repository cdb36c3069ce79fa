package holdings

// ReplicaState is how well a replica is known.
type ReplicaState uint8

// The states of a replica.
const (
	Silent ReplicaState = iota // it does not answer, or has not yet: its proxies may hold anything
	Vacant                     // it said that it has ended, so it has no proxies
	Self                       // it is this one
	Heard                      // it says what its proxies hold
)

// Report is news of another replica.
type Report struct {
	Replica string // its name, as people read it
	State   ReplicaState
	Proxies int    // how many are connected to it and serve
	Why     string // one that is connected does not, if none serves
	Sites   map[SiteVersion]Holding

	Reset bool   // everything that it said before is void
	Build string // if Reset: the version of the program, for people
}
