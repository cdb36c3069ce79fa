package sitestatus

import (
	"github.com/prometheus/client_golang/prometheus"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// Phases counts sites by the phase in their status, for whoever keeps the statuses.
type Phases struct{ sites *prometheus.GaugeVec }

// NewPhases returns a count of no sites.
func NewPhases() Phases {
	p := Phases{prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "staticsite_sites", Help: "StaticSites by the phase in their status; one that has none yet is Pending.",
	}, []string{"phase"})}
	for _, phase := range []v1alpha1.Phase{v1alpha1.PhasePending, v1alpha1.PhaseProvisioned, v1alpha1.PhaseError} {
		p.sites.WithLabelValues(string(phase))
	}
	return p
}

// Metrics is what to register with a prometheus.Registerer.
func (p Phases) Metrics() prometheus.Collector { return p.sites }

// Come counts a site whose status has that phase, or none.
func (p Phases) Come(phase string) { p.of(phase).Inc() }

// Go takes back what Come counted.
func (p Phases) Go(phase string) { p.of(phase).Dec() }

func (p Phases) of(phase string) prometheus.Gauge {
	if phase == "" {
		phase = string(v1alpha1.PhasePending)
	}
	return p.sites.WithLabelValues(phase)
}
