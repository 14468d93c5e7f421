package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/collectors/recorded"
	"github.com/haldane-canary/haldane/sketch"
)

// judgeSeenBits sizes the memory of sticky units: 2 MiB.
const judgeSeenBits = 24

// maxWeights is how many different weights one stream may be drawn with.
const maxWeights = 1000

// A recording is a stream of observations being judged.
type recording struct {
	trial   *analyzer.Trial
	warmup  time.Duration
	weight  float64 // for lines that do not say; NaN if it is to be estimated
	weights map[float64]bool
	seen    *sketch.Seen
	warmAt  time.Time     // when the canary's latencies begin to count; zero before its first
	last    time.Time     // of the latest observation used
	back    time.Duration // the most that times have fallen back
	used    int
	look    int // after how many observations to judge next
}

// judgeStream judges what r holds: until the first decision, or if all is set
// to the end. Once failed, a canary stays failed, whatever follows.
func judgeStream(in io.Reader, spec analyzer.Spec, weight float64, all bool) (haldane.Verdict, error) {
	trial, err := analyzer.NewTrial(spec)
	if err != nil {
		return haldane.Verdict{}, err
	}
	rec := &recording{trial: trial, warmup: spec.Warmup, weight: weight, weights: map[float64]bool{}, look: 1}
	r := recorded.NewReader(in)
	var failed *haldane.Verdict
	for {
		o, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return haldane.Verdict{}, err
		}
		if err := rec.observe(o); err != nil {
			return haldane.Verdict{}, fmt.Errorf("line %d: %w", r.Line(), err)
		}
		j := rec.judge()
		if j == haldane.Fail && failed == nil {
			v := trial.Verdict(rec.last)
			failed = &v
		}
		if j != haldane.Undecided && !all {
			break
		}
	}
	if rec.used == 0 {
		return haldane.Verdict{}, errors.New("no observations: nothing can be measured")
	}
	v := trial.Verdict(rec.last)
	if failed != nil {
		if v.Judgement != haldane.Fail {
			failed.Warnings = append(failed.Warnings, fmt.Sprintf(
				"%d later observations look better, but a failure stands", v.Observations-failed.Observations))
		}
		v = *failed
	}
	if rec.back > time.Second {
		v.Warnings = append(v.Warnings, fmt.Sprintf(
			"times fall back by up to %v: the order should be that of assignment, and the warm-up is reckoned by them", rec.back))
	}
	return v, nil
}

// observe counts one observation.
func (rec *recording) observe(o recorded.Record) error {
	w := o.Weight
	if math.IsNaN(w) {
		w = rec.weight
	}
	if w == 0 || w == 1 {
		return nil // nothing was drawn
	}
	key := analyzer.Key{Weight: w}
	if math.IsNaN(w) {
		key.Weight = 0
	} else if !rec.weights[w] {
		rec.weights[w] = true
		if len(rec.weights) > maxWeights {
			return fmt.Errorf("more than %d different weights: round them, or split the stream", maxWeights)
		}
	}
	if o.Track == haldane.Canary && rec.warmAt.IsZero() {
		rec.warmAt = o.At.Add(rec.warmup)
	}
	if o.Sticky {
		if rec.seen == nil {
			rec.seen = sketch.NewSeen(judgeSeenBits)
		}
		if !rec.seen.First(o.Client) {
			return nil
		}
	}
	warm := rec.warmup == 0 || !rec.warmAt.IsZero() && !o.At.Before(rec.warmAt)
	rec.trial.Observe(key, o.Track, o.Failed, warm, sketch.Index(o.Latency))
	rec.back = max(rec.back, rec.last.Sub(o.At))
	rec.last = o.At
	rec.used++
	return nil
}

// judge looks at the evidence: after every observation at first, and later
// whenever another thousandth has come, which delays a decision by no more.
func (rec *recording) judge() haldane.Judgement {
	if rec.used < rec.look {
		return haldane.Undecided
	}
	rec.trial.Turn()
	rec.look = rec.used + 1 + rec.used/1000
	return rec.trial.Judgement()
}
