// Command playground shows the whole product on one machine, without a cluster: a
// folder of sites, our server on it, a backend that serves their pages, and a real
// Envoy that is configured by nothing but what our server streams to it.
//
// It prints the sites' URLs, and then a line for each change: add, edit or delete a
// file in the folder and watch. `make run` builds what it needs and starts it.
//
// It only starts things and rewords log lines; whatever looks like behaviour of the
// product is the product's. Read first: run in main.go, changes.go for the lines.
package main
