package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vigia/collector/internal/rollout"
)

// updateMetrics tells how many machines run which version, and where updates stand. It
// asks the store when it is asked: a few rows.
type updateMetrics struct {
	store rollout.Store
	log   *slog.Logger
}

// desc describes the one metric.
func (updateMetrics) desc() *prometheus.Desc {
	return prometheus.NewDesc("vigia_agent_versions", "Machines by the version of their agent, the version they update to, and the phase of that.",
		[]string{"version", "target", "phase"}, nil)
}

// Describe implements prometheus.Collector.
func (m updateMetrics) Describe(ch chan<- *prometheus.Desc) { ch <- m.desc() }

// Collect implements prometheus.Collector.
func (m updateMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	counts, err := m.store.Counts(ctx)
	if err != nil {
		m.log.Warn("counting versions of agents", "err", err)
		return
	}
	for _, c := range counts {
		ch <- prometheus.MustNewConstMetric(m.desc(), prometheus.GaugeValue, float64(c.Machines), c.Version, c.Target, c.Phase)
	}
}
