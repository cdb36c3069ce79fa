package main

import (
	"math"
	"slices"
	"time"
)

// median returns the middle of some durations, zero if there are none.
func median(d []time.Duration) time.Duration { return percentile(d, 50) }

// percentile returns the value that p percent of the durations do not exceed.
func percentile(d []time.Duration, p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[min(len(d)*p/100, len(d)-1)]
}

func medianBytes(n []uint64) uint64 {
	if len(n) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(n))[len(n)/2]
}

// ratio returns how many times b is in a; not a number if one was not measured.
func ratio[T int | uint64 | time.Duration](a, b T) float64 {
	if a == 0 || b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}
