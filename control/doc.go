// Package control turns changes into configuration and acknowledgements into
// status. It owns the only place where the two meet:
//
//	objects --> translate.World --> xds.Store      (publish.go)
//	xds states, verdicts --> join --> sitestatus.Status (join.go, serving.go, programmed.go, conditions.go)
//
// One goroutine (loop.go) does both and owns everything here. It never waits for
// anybody: objects, stream states and statuses pass through latest.Map, which
// keeps the newest of each.
//
// It knows neither where objects come from nor where statuses are written.
//
// Read Loop first, then join, then sitestatus.Status.
package control
