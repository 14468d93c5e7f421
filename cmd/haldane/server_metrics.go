package main

import (
	"fmt"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	runtimemetrics "github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/haldane-canary/haldane/analyzer"
)

// register registers the metrics of all parts that there are before the bus
// is.
func (s *server) register() error {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "haldane_build_info", Help: "1; which haldane this is.",
		ConstLabels: prometheus.Labels{"version": version(), "go": runtime.Version()},
	})
	build.Set(1)
	parts := []prometheus.Collector{
		build, s.metrics,
		runtimemetrics.NewGoCollector(),
		runtimemetrics.NewProcessCollector(runtimemetrics.ProcessCollectorOpts{}),
	}
	if s.roles.proxy {
		parts = append(parts, s.proxy, s.tally, s.publisher)
	}
	if s.tracing != nil {
		parts = append(parts, s.tracing)
	}
	return s.registerAll(parts...)
}

// registerAll registers more metrics.
func (s *server) registerAll(parts ...prometheus.Collector) error {
	for _, c := range parts {
		if err := s.registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}

// analyzerCollectors returns the metrics of a's health.
func analyzerCollectors(a *analyzer.Service) []prometheus.Collector {
	counter := func(name, help string, value func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	return []prometheus.Collector{
		counter("haldane_analyzer_reports_dropped_total", "Reports that found no room; later ones hold what they held.", a.Dropped),
		counter("haldane_analyzer_reports_refused_total", "Reports that could not be counted.", a.Refused),
	}
}
