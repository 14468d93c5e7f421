package apitest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
)

// Token is what a World's server takes from an operator, and ReadToken from
// somebody who may only look.
const (
	Token     = "operators-token"
	ReadToken = "viewers-token"
)

// Tokens returns tokens that know Token and ReadToken.
func Tokens(t testing.TB) *api.Tokens {
	t.Helper()
	dir := t.TempDir()
	hash := func(token string) string {
		sum := sha256.Sum256([]byte(token))
		return hex.EncodeToString(sum[:])
	}
	b := fmt.Sprintf(`[{"name": "alice", "role": "operator", "sha256": %q}, {"name": "bob", "role": "viewer", "sha256": %q}]`,
		hash(Token), hash(ReadToken))
	if err := os.WriteFile(filepath.Join(dir, "tokens.json"), []byte(b), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, _, err := api.OpenTokens(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// Handler returns the API of w.
func (w *World) Handler(t testing.TB) http.Handler {
	return api.New(api.Config{
		Rollouts: w, Log: w, Tokens: Tokens(t), Version: "test",
		Metrics: http.NotFoundHandler(),
		Ready:   func() error { return nil },
		Logger:  slog.New(slog.DiscardHandler),
	})
}

// Serve serves w on loopback until the test ends.
func (w *World) Serve(t testing.TB) *httptest.Server {
	server := httptest.NewServer(w.Handler(t))
	t.Cleanup(server.CloseClientConnections) // streams do not end by themselves
	t.Cleanup(server.Close)
	return server
}

// At is when everything in an apitest example happens.
func At() time.Time { return time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC) }

// Stepping returns a rollout of service shop in its second step of four, with
// a verdict that is not made up yet.
func Stepping(name string) haldane.Status {
	v := haldane.Verdict{
		Judgement: haldane.Undecided, At: At(), Service: "shop", Rollout: name, Step: 2, Epoch: 2,
		Observations: 48_212, CanaryObservations: 2_394, Served: 497, Alpha: 0.01, AlphaPromote: 0.05,
		Reason:   "latency: not shown to be within 1.5 times the baseline's yet; about 1,900 more requests",
		Warnings: []string{},
		Baseline: haldane.Totals{N: 45_818, Errors: 229}, Canary: haldane.Totals{N: 2_394, Errors: 14},
		Indicators: []haldane.Evidence{
			{
				Name: haldane.Errors, Judgement: haldane.Pass, LogE: -1.2, LogEPromote: 3.9,
				Estimate: haldane.Estimate{Baseline: 0.005, Canary: 0.00585, Ratio: 1.17, Difference: 0.00085},
				Interval: haldane.Interval{Lower: 0.61, Upper: 1.94},
				Margin:   haldane.Margin{Ratio: 1.1, Floor: 0.001}, Promote: haldane.Margin{Ratio: 4, Floor: 0.02},
			},
			{
				Name: haldane.Latency, LogE: 0.8, LogEPromote: 1.7,
				Estimate: haldane.Estimate{Baseline: 0.0041, Canary: 0.0044, Ratio: 1.07, Difference: 0.0003},
				Interval: haldane.Interval{Lower: 0.96, Upper: 1.21},
				Margin:   haldane.Margin{Ratio: 1.1}, Promote: haldane.Margin{Ratio: 1.5},
				Needs: haldane.Needs{Requests: 1_900, Seconds: 95},
			},
		},
		Needs: haldane.Needs{Requests: 1_900, Seconds: 95},
	}
	return haldane.Status{
		Name: name, Service: "shop", Phase: haldane.Stepping, Step: 2,
		Steps:  []haldane.PlannedStep{{Weight: 100, Bake: 10}, {Weight: 500, Bake: 10}, {Weight: 2500, Bake: 10}, {Weight: 5000, Bake: 10}},
		Weight: 500, Served: 497, Since: At().Add(-41 * time.Second), Started: At().Add(-75 * time.Second),
		Reason:   "step 1 passed: errors and latency within their margins",
		Baseline: haldane.Version{Version: "1.4.0"}, Canary: haldane.Version{Version: "1.5.0"},
		Verdict: &v, Needs: v.Needs,
	}
}

// Decided returns the nth decision on the rollout that Stepping returns, which
// has had two.
func Decided(name string, n uint64) haldane.Decision {
	d := haldane.Decision{
		Seq: n, Service: "shop", Rollout: name, Kind: haldane.KindStarted, Actor: haldane.ControllerActor,
		Reason: "starts by itself, as configured", From: haldane.Position{Phase: haldane.Pending},
		To: haldane.Position{Phase: haldane.Stepping, Step: 1, Weight: 100}, Weight: 100,
		Versions: haldane.Versions{Baseline: "1.4.0", Canary: "1.5.0"}, At: At().Add(-75 * time.Second),
	}
	if n > 1 {
		d.Kind, d.Reason, d.At = haldane.KindWeight, "step 1 passed: errors and latency within their margins", At().Add(-41*time.Second)
		d.From, d.To = d.To, haldane.Position{Phase: haldane.Stepping, Step: 2, Weight: 500}
		d.Weight, d.Served = 500, 102
	}
	return d
}
