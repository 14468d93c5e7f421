package collectors

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/haldane-canary/haldane"
)

// seriesLabels are the labels of everything a Tally exposes.
func seriesLabels() []string {
	return []string{"service", "rollout", "track", "version", "route"}
}

// requestsDesc describes the counter of requests.
func requestsDesc() *prometheus.Desc {
	return prometheus.NewDesc("haldane_requests_total",
		"Requests by outcome; a retry is none of its own, and canceled ones tell nothing of the version.",
		append(seriesLabels(), "class"), nil)
}

// durationDesc describes the histogram of their durations.
func durationDesc() *prometheus.Desc {
	return prometheus.NewDesc("haldane_request_duration_seconds",
		"Time from a request's arrival to the end of its answer, canceled requests left out.",
		seriesLabels(), nil)
}

// Describe implements prometheus.Collector.
func (t *Tally) Describe(ch chan<- *prometheus.Desc) {
	ch <- requestsDesc()
	ch <- durationDesc()
}

// Collect implements prometheus.Collector. Each series is read once; its
// histogram's count is always the sum of its buckets.
func (t *Tally) Collect(ch chan<- prometheus.Metric) {
	requests, duration := requestsDesc(), durationDesc()
	for _, s := range t.allSeries() {
		labels := s.labels()
		for class := range haldane.Class(haldane.NumClasses) {
			ch <- prometheus.MustNewConstMetricWithCreatedTimestamp(requests, prometheus.CounterValue,
				float64(s.classes[class].Load()), s.created, append(slices.Clone(labels), class.String())...)
		}
		ch <- newHistogram(duration, s)
	}
}

// allSeries returns the series, ordered, so that no lock is held while a slow
// scrape takes them.
func (t *Tally) allSeries() []*series {
	t.mu.Lock()
	all := make([]*series, 0, len(t.series))
	for _, s := range t.series {
		all = append(all, s)
	}
	t.mu.Unlock()
	slices.SortFunc(all, func(a, b *series) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.rollout, b.rollout),
			cmp.Compare(a.track, b.track), cmp.Compare(a.version, b.version), cmp.Compare(a.route, b.route))
	})
	return all
}
