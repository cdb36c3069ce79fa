// Package replicas is how the replicas of this program tell each other what their
// proxies hold. Each serves a stream of it (Server); whoever leads asks all others
// (Client), which it finds among the endpoints of their common Service, and
// gives what it hears to the control loop.
//
// It decides nothing: what follows from a report, and from a replica that gives
// none, is control's to say. No proxy waits for it. A replica that does not lead
// asks nobody, and one that nobody asks keeps nothing.
//
// The messages are in replicasv1/replicas.proto. A report is written from what has
// changed when it can be sent, so a slow reader is sent less, not later.
//
// Read Client first, then session, then Server.
package replicas
