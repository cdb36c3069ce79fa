//go:build !race

package xds

const stepsOfASeed = 250_000
