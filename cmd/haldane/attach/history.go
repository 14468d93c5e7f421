package attach

import (
	"math"
	"time"

	"github.com/haldane-canary/haldane"
)

// keep is how many samples of an indicator are remembered, and sampleEvery
// how long each is.
const (
	keep        = 240
	sampleEvery = time.Second
)

// A history is what an indicator was on each track, second by second.
type history struct {
	tracks [haldane.NumTracks][]haldane.Number
}

// A recorder turns the verdicts that come in into histories.
type recorder struct {
	by      map[string]*history // by indicator
	rollout string
	at      time.Time // of the latest sample
	totals  [haldane.NumTracks]haldane.Totals
}

// take adds a sample of v, which came at the given time, unless the latest is
// younger than a second. A new generation begins a new history.
func (r *recorder) take(v haldane.Verdict, now time.Time) {
	if v.Rollout != r.rollout || r.by == nil {
		*r = recorder{by: make(map[string]*history), rollout: v.Rollout}
	}
	if now.Sub(r.at) < sampleEvery {
		return
	}
	totals := [haldane.NumTracks]haldane.Totals{v.Baseline, v.Canary}
	for _, e := range v.Indicators {
		h := r.by[e.Name]
		if h == nil {
			h = &history{}
			r.by[e.Name] = h
		}
		sample := [haldane.NumTracks]haldane.Number{e.Estimate.Baseline, e.Estimate.Canary}
		if e.Name == haldane.Errors && !r.at.IsZero() {
			// Counts grow for ever; what they grew by shows what happens now.
			for t := range sample {
				sample[t] = share(r.totals[t], totals[t])
			}
		}
		for t := range sample {
			h.tracks[t] = append(h.tracks[t], sample[t])
			h.tracks[t] = h.tracks[t][max(0, len(h.tracks[t])-keep):]
		}
	}
	r.at, r.totals = now, totals
}

// share returns the share of errors among what came between two totals, or
// NaN if nothing did.
func share(before, after haldane.Totals) haldane.Number {
	if after.N <= before.N || after.Errors < before.Errors {
		return haldane.Number(math.NaN())
	}
	return haldane.Number(float64(after.Errors-before.Errors) / float64(after.N-before.N))
}

// top returns the largest value among the latest n of both tracks, so that
// both are drawn to one scale.
func (h *history) top(n int) (top float64) {
	for _, values := range h.tracks {
		for _, v := range values[max(0, len(values)-n):] {
			if known(v) {
				top = max(top, float64(v))
			}
		}
	}
	return top
}
