package control

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the figures of the loop. Register them with a prometheus.Registerer.
func (l *Loop) Metrics() prometheus.Collector { return l.join.acknowledged }

// newAcknowledged reaches from one round trip in an idle system to what nobody
// should see.
func newAcknowledged() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "staticsite_acknowledged_seconds",
		Help: "From the arrival of a change to the acknowledgement of the last of this replica's proxies, for each site that it concerns. " +
			"What was there when the first proxy connected, and what a proxy refused, is not in it.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	})
}

// measure notes that every proxy here has answered for a site. A refusal is an
// answer and no acknowledgement; nor is it one if they had before what the change
// came to.
func (j *join) measure(s *site, refused int) {
	if !s.arrived.IsZero() && refused == 0 && !j.now.Before(s.arrived) {
		j.acknowledged.Observe(j.now.Sub(s.arrived).Seconds())
	}
	s.arrived = time.Time{}
}
