package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"vigia/collector/internal/ingest"
	"vigia/internal/buildinfo"
)

// buildMetric tells which build runs.
func buildMetric() prometheus.Collector {
	info := buildinfo.Get()
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "vigia_build_info", Help: "The running build; always 1.",
		ConstLabels: prometheus.Labels{"version": info.Version, "commit": info.Commit}})
	g.Set(1)
	return g
}

// ingestMetrics tells what the use-case that takes reports has counted.
type ingestMetrics struct{ in *ingest.Ingester }

func (m ingestMetrics) desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("vigia_ingest_"+name, help, nil, nil)
}

// Describe implements prometheus.Collector; what it tells follows from Collect.
func (m ingestMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect implements prometheus.Collector.
func (m ingestMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.in.Stats()
	for _, c := range []struct {
		name, help string
		value      int64
	}{
		{"reports_total", "Reports stored, without those told twice.", s.Reports},
		{"batches_total", "Transactions that stored reports.", s.Batches},
		{"unchanged_total", "Signs of life of unchanged machines.", s.Unchanged},
		{"refused_total", "Reports told to come later.", s.Refused},
		{"retried_total", "Reports tried alone after their batch failed.", s.Retried},
	} {
		ch <- prometheus.MustNewConstMetric(m.desc(c.name, c.help), prometheus.CounterValue, float64(c.value))
	}
	ch <- prometheus.MustNewConstMetric(m.desc("waiting_programs", "Programs in reports that wait."), prometheus.GaugeValue, float64(s.Waiting))
}
