package demo

import (
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestOutcomeDependsOnSeedAndNumberAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Behaviour{Median: 4 * time.Millisecond, Spread: 0.5, Errors: 0.3, Tail: 0.1, TailFactor: 6, Leak: 0.5}
		seed, n := rapid.Uint64().Draw(t, "seed"), rapid.Uint64Max(1e9).Draw(t, "n")
		first := b.Outcome(seed, n)
		b.Outcome(seed, n+1) // asking for another one changes nothing
		if again := b.Outcome(seed, n); again != first {
			t.Errorf("outcome %d of seed %d: got %v, then %v", n, seed, first, again)
		}
		if first.Wait < 0 || first.Wait > longest {
			t.Errorf("wait: got %v, want 0 to %v", first.Wait, longest)
		}
	})
}

func TestOutcomesHaveTheSharesAsked(t *testing.T) {
	const n = 50_000
	b := Behaviour{Median: 4 * time.Millisecond, Errors: 0.05, Tail: 0.1, TailFactor: 6}
	var failed, slow float64
	for i := range uint64(n) {
		o := b.Outcome(7, i)
		if o.Status == http.StatusServiceUnavailable {
			failed++
		}
		if o.Wait == 24*time.Millisecond {
			slow++
		} else if o.Wait != 4*time.Millisecond {
			t.Fatalf("wait of request %d: got %v, want 4ms or 24ms", i, o.Wait)
		}
	}
	near(t, "share of failures", failed/n, 0.05, 0.005) // five standard deviations
	near(t, "share of slow answers", slow/n, 0.1, 0.007)
}

func TestLatencyIsLognormal(t *testing.T) {
	const n = 20_001
	b := Behaviour{Median: 4 * time.Millisecond, Spread: 0.5}
	waits := make([]float64, n)
	for i := range waits {
		waits[i] = b.Outcome(3, uint64(i)).Wait.Seconds() * 1000
	}
	slices.Sort(waits)
	near(t, "median in ms", waits[n/2], 4, 0.1)
	near(t, "p84 in ms (one deviation up)", waits[n*8413/10000], 4*math.Exp(0.5), 0.2)
}

func TestLeakGrowsWithRequestsServed(t *testing.T) {
	b := Behaviour{Median: 4 * time.Millisecond, Leak: 0.5}
	for n, want := range map[uint64]time.Duration{0: 4 * time.Millisecond, 1000: 6 * time.Millisecond, 2000: 8 * time.Millisecond, 1e9: longest} {
		if got := b.Outcome(1, n).Wait; got != want {
			t.Errorf("wait of request %d: got %v, want %v", n, got, want)
		}
	}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within {
		t.Errorf("%s: got %v, want %v ± %v", what, got, want, within)
	}
}
