package xds

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what a server does. Register it with a prometheus.Registerer.
type Metrics struct {
	streams   *prometheus.GaugeVec // by protocol
	waiting   prometheus.Gauge
	responses *prometheus.CounterVec // by type
	resources *prometheus.CounterVec // by type
	refused   *prometheus.CounterVec // by type
	timeouts  *prometheus.CounterVec // by type
	panics    prometheus.Counter
}

func newMetrics() *Metrics {
	counter := func(name, help string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "staticsite_xds_" + name, Help: help}, []string{"type"})
		for t := range numTypes {
			c.WithLabelValues(t.String()) // From 0, so that the first one is an increase.
		}
		return c
	}
	return &Metrics{
		streams: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "staticsite_xds_streams", Help: "Connected proxies."}, []string{"protocol"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "staticsite_xds_streams_waiting", Help: "Proxies that have connected and wait to be served, because others come first."}),
		responses: counter("responses_total", "Responses sent."),
		resources: counter("resources_total", "Resources and removals sent."),
		refused:   counter("refused_total", "Resource versions that a proxy refused."),
		timeouts:  counter("ack_timeouts_total", "Responses that a proxy did not answer in time."),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "staticsite_xds_panics_total", Help: "Calls that were ended by a fault of the server."}),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(ch)
	}
}

func (m *Metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.streams, m.waiting, m.responses, m.resources, m.refused, m.timeouts, m.panics}
}

func (m *Metrics) sent(t Type, r *Response) {
	m.responses.WithLabelValues(t.String()).Inc()
	m.resources.WithLabelValues(t.String()).Add(float64(len(r.Upserts) + len(r.Removes)))
}

func (m *Metrics) event(e Event) {
	switch e.Kind {
	case Refused:
		m.refused.WithLabelValues(e.Type.String()).Inc()
	case AckTimeout:
		m.timeouts.WithLabelValues(e.Type.String()).Inc()
	}
}
