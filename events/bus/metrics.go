package bus

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// counters count what goes wrong.
type counters struct {
	dropped   *prometheus.CounterVec
	malformed *prometheus.CounterVec
	said      *atomic.Uint64 // malformed messages of all kinds
}

// newCounters returns counters at zero, with every kind shown from the start.
func newCounters() counters {
	c := counters{
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "haldane_bus_messages_dropped_total",
			Help: "Messages that could not be sent or that came faster than they were taken.",
		}, []string{"kind"}),
		malformed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "haldane_bus_malformed_total",
			Help: "Messages received that were not what their subject promises.",
		}, []string{"kind"}),
		said: new(atomic.Uint64),
	}
	for _, kind := range []string{kindReport, kindVerdict, kindSplit} {
		c.dropped.WithLabelValues(kind)
		c.malformed.WithLabelValues(kind)
	}
	return c
}

// malformed counts a message that is not what it should be. It logs the 1st,
// 2nd, 4th, 8th …, so that whoever sends many cannot fill the log.
func (b *Bus) malformed(kind, subject string, err error) {
	b.counts.malformed.WithLabelValues(kind).Inc()
	if n := b.counts.said.Add(1); n&(n-1) == 0 {
		b.log.Warn("malformed message ignored", "kind", kind, "subject", subject, "so_far", n, "error", err)
	}
}

// Collectors returns the bus's metrics.
func (b *Bus) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "haldane_bus_connected",
			Help: "Whether the bus can be reached (1) or not (0).",
		}, func() float64 {
			if b.Connected() {
				return 1
			}
			return 0
		}),
		b.counts.dropped, b.counts.malformed,
	}
}
