package sitestatus

import "my-company.com/staticsite-operator/object"

// Status is what the owner of a site should read in it, whole. Whoever
// writes it down (kube, files) needs nothing else.
type Status struct {
	Site       object.Key
	Gone       bool   // the site was deleted and no proxy of this replica serves it any more; the other fields are empty
	UID        string // of the object that this is about: one that was made anew under its name is another
	Generation int64
	Phase      string   // Pending, Provisioned or Error: derived from the conditions, for people
	Message    string   // the first thing to know, derived from the conditions
	Domains    []string // what the site holds now
	Proxies    int      // serving proxies that acknowledged exactly this; for logs, never written to the object

	Conditions []Condition // Accepted, ResolvedRefs, Programmed, Ready, EndpointsReady, and Reconciling or Stalled unless it is ready

	// Standing is set if Programmed is undecided only for want of news: this
	// replica has not yet heard all proxies since it speaks for them. It is the
	// status of an object that says already that this generation is programmed,
	// and it stands until there is news to the contrary.
	Standing *Status
}

// Condition is a metav1.Condition without its times, which the writer keeps.
type Condition struct {
	Type    string
	Status  string // True, False or Unknown
	Reason  string // CamelCase
	Message string // what the owner can do
}
