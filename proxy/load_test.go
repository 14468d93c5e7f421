package proxy_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
)

// While the weight changes a thousand times a second no request is lost, every
// request is observed once, and each epoch's share is what its weight says.
func TestWeightChangesUnderLoadLoseNothing(t *testing.T) {
	const clients, each = 8, 1_000
	weights := []haldane.Weight{100, 500, 2500, 5000, 9000}
	r := newRig(t, says("baseline"), says("canary"))
	r.split(weights[0])

	var failed, canaries atomic.Int64
	var load sync.WaitGroup
	for range clients {
		load.Go(func() {
			for range each {
				body, err := get(r)
				if err != nil || (body != "baseline" && body != "canary") {
					failed.Add(1)
				}
				if body == "canary" {
					canaries.Add(1)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		load.Wait()
		close(done)
	}()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	changes := 0
	for running := true; running; {
		select {
		case <-ticker.C:
			changes++
			r.split(weights[changes%len(weights)])
		case <-done:
			running = false
		}
	}
	if n := failed.Load(); n != 0 {
		t.Errorf("%d of %d requests failed", n, clients*each)
	}
	t.Logf("%d weight changes under %d requests", changes, clients*each)
	checkShares(t, r, clients*each, canaries.Load())
}

// get requests / and returns the answer.
func get(r *rig) (string, error) {
	resp, err := r.client.Get(r.url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return resp.Status, err
	}
	return string(b), err
}

// checkShares holds the observations of all epochs against their weights.
func checkShares(t *testing.T, r *rig, requests, canaries int64) {
	t.Helper()
	type share struct{ n, canary float64 }
	shares := make(map[haldane.Weight]*share)
	var total, onCanary int64
	for _, report := range r.tally.Reports(time.Now()) {
		s := shares[report.Weight]
		if s == nil {
			s = new(share)
			shares[report.Weight] = s
		}
		for _, w := range report.Windows {
			s.n += float64(w.N())
			total += int64(w.N())
			if w.Track == haldane.Canary {
				s.canary += float64(w.N())
				onCanary += int64(w.N())
			}
		}
	}
	if total != requests || onCanary != canaries {
		t.Errorf("%d observations, %d of the canary; %d requests were answered, %d by the canary", total, onCanary, requests, canaries)
	}
	// Five binomials: a chi-square of 5 degrees of freedom exceeds 45 once in
	// 100 million runs.
	chi2 := 0.
	for weight, s := range shares {
		p := weight.Fraction()
		off := s.canary - s.n*p
		chi2 += off * off / (s.n * p * (1 - p))
	}
	if chi2 > 45 {
		t.Errorf("chi-square %v of %d weights", chi2, len(shares))
	}
}

// A canary that dies under load is seen by nobody but the analyzer.
func TestACanaryThatDiesUnderLoadIsNotNoticed(t *testing.T) {
	const clients, each = 4, 250
	alive := new(atomic.Bool)
	alive.Store(true)
	r := newRig(t, says("baseline"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !alive.Load() {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "canary")
	}))
	r.split(5000)
	var load sync.WaitGroup
	var failed atomic.Int64
	for c := range clients {
		load.Go(func() {
			for i := range each {
				if c == 0 && i == each/2 {
					alive.Store(false)
				}
				if body, err := get(r); err != nil || (body != "baseline" && body != "canary") {
					failed.Add(1)
				}
			}
		})
	}
	load.Wait()
	if n := failed.Load(); n != 0 {
		t.Errorf("clients saw %d failures", n)
	}
	baseline, canary := r.window(haldane.Baseline), r.window(haldane.Canary)
	if canary.Errors() == 0 || baseline.Errors() != 0 || canary.N()+baseline.N() != clients*each {
		t.Errorf("canary %v, baseline %v: want the canary's failures, and %d observations", canary.Classes, baseline.Classes, clients*each)
	}
}
