package telemetry

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/haldane-canary/haldane"
)

func verdict() haldane.Verdict {
	return haldane.Verdict{
		Judgement: haldane.Fail, Service: "shop", Rollout: "shop-1.5.0", Alpha: 0.01, AlphaPromote: 0.05,
		Indicators: []haldane.Evidence{{
			Name: haldane.Errors, LogE: 5, LogEPromote: -2,
			Estimate: haldane.Estimate{Ratio: 3}, Interval: haldane.Interval{Lower: 1.5, Upper: haldane.Number(math.Inf(1))},
			Margin: haldane.Margin{Ratio: 1.1, Floor: 0.001}, Needs: haldane.Needs{Requests: 120},
		}},
	}
}

func TestVerdictIsShown(t *testing.T) {
	m := NewMetrics()
	m.Verdict(verdict())
	expect(t, m, `
haldane_effect{bound="estimate",indicator="errors",rollout="shop-1.5.0",service="shop"} 3
haldane_effect{bound="lower",indicator="errors",rollout="shop-1.5.0",service="shop"} 1.5
haldane_effect{bound="margin",indicator="errors",rollout="shop-1.5.0",service="shop"} 1.1
haldane_log_e_limit{process="promote",rollout="shop-1.5.0",service="shop"} `+fmt.Sprint(-math.Log(0.05))+`
haldane_log_e_limit{process="rollback",rollout="shop-1.5.0",service="shop"} `+fmt.Sprint(-math.Log(0.01))+`
haldane_log_e_value{indicator="errors",process="promote",rollout="shop-1.5.0",service="shop"} -2
haldane_log_e_value{indicator="errors",process="rollback",rollout="shop-1.5.0",service="shop"} 5
haldane_needed_requests{indicator="errors",rollout="shop-1.5.0",service="shop"} 120
haldane_verdict{rollout="shop-1.5.0",service="shop"} -1
`)
}

func TestWhatIsNoLongerKnownIsNoLongerShown(t *testing.T) {
	m, v := NewMetrics(), verdict()
	m.Verdict(v)
	v.Indicators[0].Estimate.Ratio = haldane.Number(math.NaN())
	m.Verdict(v)
	for _, line := range lines(t, m) {
		if strings.Contains(line, `bound="estimate"`) {
			t.Errorf("got %s, want no estimate", line)
		}
	}
}

func TestDecisionsAreCountedFromZero(t *testing.T) {
	m := NewMetrics()
	m.Status(haldane.Status{Service: "shop", Name: "shop-1.5.0", Phase: haldane.Stepping, Step: 1})
	if n := testutil.ToFloat64(m.decisions.WithLabelValues("shop", "rolledback")); n != 0 {
		t.Errorf("rollbacks before the first: got %v, want 0", n)
	}
	if got, want := testutil.CollectAndCount(m, "haldane_decisions_total"), len(haldane.Kinds()); got != want {
		t.Errorf("kinds shown: got %d, want %d", got, want)
	}
	m.Decided(haldane.Decision{
		Service: "shop", Rollout: "shop-1.5.0", Kind: haldane.KindRolledBack, At: time.UnixMilli(1795367760500),
		To: haldane.Position{Phase: haldane.RolledBack, Step: 1},
	})
	for _, want := range []string{
		`haldane_decisions_total{kind="rolledback",service="shop"} 1`,
		`haldane_decision_timestamp_seconds{kind="rolledback",rollout="shop-1.5.0",service="shop"} 1.7953677605e+09`,
		`haldane_rollout_phase{phase="rolledback",rollout="shop-1.5.0",service="shop"} 1`,
		`haldane_rollout_phase{phase="stepping",rollout="shop-1.5.0",service="shop"} 0`,
		`haldane_rollout_step{rollout="shop-1.5.0",service="shop"} 1`,
	} {
		if !strings.Contains(strings.Join(lines(t, m), "\n"), want) {
			t.Errorf("got\n%s\nwant %s", strings.Join(lines(t, m), "\n"), want)
		}
	}
}

func TestForgottenRolloutLeavesOnlyItsCounts(t *testing.T) {
	m := NewMetrics()
	m.Verdict(verdict())
	m.Decided(haldane.Decision{Service: "shop", Rollout: "shop-1.5.0", Kind: haldane.KindStarted})
	m.Forget("shop-1.5.0")
	for _, line := range lines(t, m) {
		if !strings.HasPrefix(line, "haldane_decisions_total") {
			t.Errorf("got %s, want it forgotten", line)
		}
	}
}

func TestMetricsAreNamedAsTheyShould(t *testing.T) {
	m := NewMetrics()
	m.Verdict(verdict())
	m.Decided(haldane.Decision{Service: "shop", Rollout: "shop-1.5.0", Kind: haldane.KindStarted})
	problems, err := testutil.CollectAndLint(m)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: got %v, %v", problems, err)
	}
}

func TestLoggerKeepsToItsLevel(t *testing.T) {
	var b bytes.Buffer
	log := NewLogger(&b, slog.LevelInfo)
	log.Debug("weighed the evidence")
	log.Info("rolled back", "rollout", "shop-1.5.0")
	if got := b.String(); !strings.Contains(got, `msg="rolled back" rollout=shop-1.5.0`) || strings.Contains(got, "weighed") {
		t.Errorf("log: got %q, want the rollback only", got)
	}
}

// lines returns what m shows, a sample a line.
func lines(t *testing.T, m *Metrics) []string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	var samples []string
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "#") {
			samples = append(samples, strings.TrimSpace(line))
		}
	}
	return samples
}

// expect compares what m shows, without help and types, with want.
func expect(t *testing.T, m *Metrics, want string) {
	t.Helper()
	if got := strings.Join(lines(t, m), "\n"); got != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}
