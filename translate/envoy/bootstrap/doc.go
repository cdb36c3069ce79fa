// Package bootstrap renders what an Envoy is started with: where our server is, and
// what cannot be streamed. What it renders depends on its Options alone.
package bootstrap
