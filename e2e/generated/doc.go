// Package generated holds a test alone: what `make generate` writes is what is
// committed. It is here because the generator is a built tool.
package generated
