package rpcapi

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// metricSet is what the service counts. Names follow Prometheus' conventions.
type metricSet struct {
	connected                                               prometheus.Gauge
	reports, unchanged, bad, unknown, later, skewed, panics prometheus.Counter
	enrolled, refused                                       *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, open, pending *atomic.Int64) (*metricSet, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metricSet{
		connected: prometheus.NewGauge(prometheus.GaugeOpts{Name: "vigia_agents_connected", Help: "Agents that have said Hello and are connected."}),
		reports:   counter("vigia_reports_total", "Reports taken."),
		unchanged: counter("vigia_reports_unchanged_total", "Whole inventories that found nothing new."),
		bad:       counter("vigia_messages_bad_total", "Messages of agents that could not be read; each ended its stream."),
		unknown:   counter("vigia_messages_unknown_total", "Messages of agents that were ignored."),
		later:     counter("vigia_later_total", "Times an agent was asked to come back later."),
		skewed:    counter("vigia_clock_skew_total", "Connections of machines whose clock is off by more than five minutes."),
		panics:    counter("vigia_panics_total", "Faults of the collector that ended one stream."),
		enrolled:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vigia_enrollments_total", Help: "Enrollments by result."}, []string{"result"}),
		refused:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vigia_connections_refused_total", Help: "Connections refused by reason."}, []string{"reason"}),
	}
	all := []prometheus.Collector{m.connected, m.reports, m.unchanged, m.bad, m.unknown, m.later, m.skewed, m.panics, m.enrolled, m.refused,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "vigia_connections_open", Help: "TCP connections of agents."}, func() float64 { return float64(open.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "vigia_reports_pending_bytes", Help: "Bytes of reports not yet complete."}, func() float64 { return float64(pending.Load()) }),
	}
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
