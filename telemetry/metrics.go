package telemetry

import (
	"math"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/haldane-canary/haldane"
)

// Metrics is what Prometheus is told of rollouts: how the evidence stands,
// what was decided, where each is. It is safe for concurrent use, and is a
// prometheus.Collector. All ratios are canary / baseline; what the data do not
// give yet has no series, rather than a made-up value.
type Metrics struct {
	logE      *prometheus.GaugeVec
	limit     *prometheus.GaugeVec
	effect    *prometheus.GaugeVec
	verdict   *prometheus.GaugeVec
	needed    *prometheus.GaugeVec
	decisions *prometheus.CounterVec
	decided   *prometheus.GaugeVec
	phase     *prometheus.GaugeVec
	step      *prometheus.GaugeVec

	mu    sync.Mutex
	known map[string]bool // services whose counters of decisions have begun at 0; guarded by mu
}

// The processes by which an indicator is judged, as they stand in labels.
const (
	rollback = "rollback" // against "not worse than the margin"
	promote  = "promote"  // against "worse than the promotion margin"
)

// NewMetrics returns metrics that know of no rollout yet.
func NewMetrics() *Metrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help},
			append([]string{"service", "rollout"}, labels...))
	}
	return &Metrics{
		logE: gauge("haldane_log_e_value",
			"Natural log of the evidence: for a rollback (the canary is worse than its margin) and for a promotion (it is not).",
			"indicator", "process"),
		limit: gauge("haldane_log_e_limit",
			"What haldane_log_e_value must reach to decide.", "process"),
		effect: gauge("haldane_effect",
			"Ratio of the canary to the baseline: the estimate, its interval valid at all times, and the margin tolerated.",
			"indicator", "bound"),
		verdict: gauge("haldane_verdict",
			"The latest verdict: 1 pass, 0 undecided, -1 fail."),
		needed: gauge("haldane_needed_requests",
			"Requests of both tracks still wanted before a verdict can be expected, if the canary is as good as the baseline.",
			"indicator"),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "haldane_decisions_total", Help: "Decisions made by this process, by kind.",
		}, []string{"service", "kind"}),
		decided: gauge("haldane_decision_timestamp_seconds",
			"When the latest decision of a kind was made.", "kind"),
		phase: gauge("haldane_rollout_phase",
			"1 for the phase that a rollout is in, 0 for the others.", "phase"),
		step: gauge("haldane_rollout_step",
			"The step of the plan that a rollout is at, from 1; 0 before the first."),
		known: map[string]bool{},
	}
}

// Verdict shows v.
func (m *Metrics) Verdict(v haldane.Verdict) {
	judged := map[haldane.Judgement]float64{haldane.Pass: 1, haldane.Fail: -1}
	m.verdict.WithLabelValues(v.Service, v.Rollout).Set(judged[v.Judgement])
	show(m.limit, -math.Log(v.Alpha), v.Service, v.Rollout, rollback)
	show(m.limit, -math.Log(v.AlphaPromote), v.Service, v.Rollout, promote)
	for _, e := range v.Indicators {
		show(m.logE, e.LogE, v.Service, v.Rollout, e.Name, rollback)
		show(m.logE, e.LogEPromote, v.Service, v.Rollout, e.Name, promote)
		show(m.needed, float64(e.Needs.Requests), v.Service, v.Rollout, e.Name)
		for bound, value := range map[string]float64{
			"estimate": float64(e.Estimate.Ratio),
			"lower":    float64(e.Interval.Lower),
			"upper":    float64(e.Interval.Upper),
			"margin":   e.Margin.Ratio,
		} {
			show(m.effect, value, v.Service, v.Rollout, e.Name, bound)
		}
	}
}

// show sets a series of g, or takes it away if value is not a number: a gap
// on a screen says "not known" better than any value.
func show(g *prometheus.GaugeVec, value float64, labels ...string) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		g.DeleteLabelValues(labels...)
		return
	}
	g.WithLabelValues(labels...).Set(value)
}

// Decided counts d, and shows where it took its rollout.
func (m *Metrics) Decided(d haldane.Decision) {
	m.begin(d.Service)
	m.decisions.WithLabelValues(d.Service, string(d.Kind)).Inc()
	m.decided.WithLabelValues(d.Service, d.Rollout, string(d.Kind)).Set(float64(d.At.UnixMilli()) / 1000)
	m.place(d.Service, d.Rollout, d.To.Phase, d.To.Step)
}

// Status shows where a rollout stands: what Decided shows, of a rollout whose
// decisions were made before this process began.
func (m *Metrics) Status(s haldane.Status) {
	m.begin(s.Service)
	m.place(s.Service, s.Name, s.Phase, s.Step)
}

// place shows the phase and the step of a rollout.
func (m *Metrics) place(service, rollout string, in haldane.Phase, step int) {
	for _, p := range phases() {
		value := 0.0
		if p == in {
			value = 1
		}
		m.phase.WithLabelValues(service, rollout, string(p)).Set(value)
	}
	m.step.WithLabelValues(service, rollout).Set(float64(step))
}

// phases returns every phase that a rollout can be in.
func phases() []haldane.Phase {
	return []haldane.Phase{haldane.Pending, haldane.Stepping, haldane.Held, haldane.Watching,
		haldane.Completed, haldane.RolledBack, haldane.Aborted}
}

// begin makes the counters of a service's decisions appear at 0, so that the
// first of each kind is seen as an increase.
func (m *Metrics) begin(service string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[service] {
		return
	}
	m.known[service] = true
	for _, k := range haldane.Kinds() {
		m.decisions.WithLabelValues(service, string(k))
	}
}

// Forget frees the series of a rollout (with its generation). What it has
// decided stays counted.
func (m *Metrics) Forget(rollout string) {
	for _, g := range m.gauges() {
		g.DeletePartialMatch(prometheus.Labels{"rollout": rollout})
	}
}

// gauges returns what is shown of one rollout.
func (m *Metrics) gauges() []*prometheus.GaugeVec {
	return []*prometheus.GaugeVec{m.logE, m.limit, m.effect, m.verdict, m.needed, m.decided, m.phase, m.step}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	m.decisions.Describe(ch)
	for _, g := range m.gauges() {
		g.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.decisions.Collect(ch)
	for _, g := range m.gauges() {
		g.Collect(ch)
	}
}
