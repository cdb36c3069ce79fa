package credentials

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	refused     *prometheus.GaugeVec // by source
	notAfter    prometheus.Gauge
	connections *prometheus.GaugeVec // by role
	strangers   prometheus.Counter
	ended       prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		refused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "staticsite_credentials_refused", Help: "1 while the files have credentials that are not good, and older ones are in use."}, []string{"credentials"}),
		notAfter: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "staticsite_certificate_not_after_seconds", Help: "When this server's own certificate ends, in seconds since 1970."}),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "staticsite_tls_connections", Help: "Open connections with TLS."}, []string{"role"}),
		strangers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "staticsite_tls_refused_total", Help: "Connections that were refused: without TLS, or without a certificate that may connect."}),
		ended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "staticsite_tls_ended_total", Help: "Connections that were closed because the peer's certificate had ended, or its CA was taken away."}),
	}
	for _, role := range []Role{Proxy, Replica} {
		m.connections.WithLabelValues(role.String())
	}
	return m
}

// Metrics returns the store's metrics, to be registered.
func (s *Store) Metrics() []prometheus.Collector {
	m := s.metrics
	return []prometheus.Collector{m.refused, m.notAfter, m.connections, m.strangers, m.ended}
}
