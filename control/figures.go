package control

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// figures are what the loop counts.
type figures struct {
	acknowledged    prometheus.Histogram
	serving, others prometheus.Gauge
}

// Metrics are the figures of the loop. Register them with a prometheus.Registerer.
func (l *Loop) Metrics() []prometheus.Collector {
	f := l.join.figures
	return []prometheus.Collector{f.acknowledged, f.serving, f.others}
}

// newFigures returns figures of nothing. The histogram reaches from one round trip in
// an idle system to what nobody should see.
func newFigures() figures {
	proxies := func(serving string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "staticsite_proxies", ConstLabels: prometheus.Labels{"serving": serving},
			Help: "Connected proxies of this replica: those that have acknowledged a listener and the routes, and those that have not.",
		})
	}
	return figures{serving: proxies("true"), others: proxies("false"), acknowledged: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "staticsite_acknowledged_seconds",
		Help: "From the arrival of a change to the acknowledgement of the last of this replica's proxies, for each site that it concerns. " +
			"What was there when the first proxy connected, and what a proxy refused, is not in it.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	})}
}

func (f figures) countProxies(serving, others int) {
	f.serving.Set(float64(serving))
	f.others.Set(float64(others))
}

// measure notes that every proxy here has answered for a site. A refusal is an
// answer and no acknowledgement; nor is it one if they had before what the change
// came to.
func (j *join) measure(s *site, refused int) {
	if !s.arrived.IsZero() && refused == 0 && !j.observed.Before(s.arrived) {
		j.acknowledged.Observe(j.observed.Sub(s.arrived).Seconds())
	}
	s.arrived = time.Time{}
}
