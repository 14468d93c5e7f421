package collectors

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/haldane-canary/haldane/sketch"
)

// defaultEvery is how often reports leave, unless a Publisher says otherwise.
const defaultEvery = 100 * time.Millisecond

// repeatAfter is the number of ticks after which everything alive is sent
// again, changed or not: messages may be lost, and a listener may be new.
const repeatAfter = 20

// A Publisher sends a Tally's reports to whoever weighs them. The bus may lose
// them: counts are cumulative, so the next report makes good for a lost one,
// and what has not changed is sent again every 20th time.
type Publisher struct {
	Tally   *Tally
	Publish func(ctx context.Context, r sketch.Report) error // must return when ctx ends
	Every   time.Duration                                    // 100 ms if 0
	Log     *slog.Logger                                     // nothing is logged if nil

	published, dropped atomic.Uint64
}

// reportKey names the epoch a report is of.
type reportKey struct {
	service, rollout string
	epoch            uint64
}

// Run publishes until ctx ends, and then once more, so that a proxy that is
// stopped leaves nothing untold. It blocks, and returns nil. A report that
// cannot be published is counted as dropped; the first of a row is logged.
func (p *Publisher) Run(ctx context.Context) error {
	every := p.Every
	if every <= 0 {
		every = defaultEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	s := sender{p: p, sent: make(map[reportKey]uint64), patience: max(10*every, time.Second)}
	for tick := 1; ; tick++ {
		select {
		case <-ctx.Done():
			s.send(context.WithoutCancel(ctx), false)
			return nil
		case <-ticker.C:
			s.send(ctx, tick%repeatAfter == 0)
		}
	}
}

// A sender is the state of one Run.
type sender struct {
	p        *Publisher
	sent     map[reportKey]uint64 // what was last sent of each epoch; see weightOf
	patience time.Duration        // for one round of sending
	failing  bool
}

// send publishes what has changed, or everything, within s.patience.
func (s *sender) send(ctx context.Context, everything bool) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	live := make(map[reportKey]uint64, len(s.sent))
	for _, r := range s.p.Tally.Reports(time.Now()) {
		key, counted := reportKey{r.Service, r.Rollout, r.Epoch}, weightOf(&r)
		before, known := s.sent[key]
		if known && before == counted && !everything {
			live[key] = counted
			continue
		}
		if s.publish(ctx, r) {
			live[key] = counted
		}
	}
	s.sent = live
}

// publish sends one report and reports whether that went well.
func (s *sender) publish(ctx context.Context, r sketch.Report) bool {
	err := s.p.Publish(ctx, r)
	if err == nil {
		s.p.published.Add(1)
		s.failing = false
		return true
	}
	s.p.dropped.Add(1)
	if !s.failing && s.p.Log != nil {
		s.p.Log.Warn("reports are being dropped", "rollout", r.Rollout, "error", err)
	}
	s.failing = true
	return false
}

// weightOf returns a number that grows with everything r counts: requests
// assigned or given up and latencies included, which may lag a moment behind the classes.
func weightOf(r *sketch.Report) (n uint64) {
	for i := range r.Windows {
		for _, k := range r.Windows[i].Classes {
			n += k
		}
		n += r.Windows[i].Assigned + r.Windows[i].Latency.Total()
	}
	return n
}

// reportsDescs describes the counters of a Publisher.
func reportsDescs() (published, dropped *prometheus.Desc) {
	return prometheus.NewDesc("haldane_reports_published_total", "Reports of windows handed to the bus.", nil, nil),
		prometheus.NewDesc("haldane_reports_dropped_total", "Reports of windows that the bus did not take; the next one makes good.", nil, nil)
}

// Describe implements prometheus.Collector.
func (p *Publisher) Describe(ch chan<- *prometheus.Desc) {
	published, dropped := reportsDescs()
	ch <- published
	ch <- dropped
}

// Collect implements prometheus.Collector.
func (p *Publisher) Collect(ch chan<- prometheus.Metric) {
	published, dropped := reportsDescs()
	ch <- prometheus.MustNewConstMetric(published, prometheus.CounterValue, float64(p.published.Load()))
	ch <- prometheus.MustNewConstMetric(dropped, prometheus.CounterValue, float64(p.dropped.Load()))
}
