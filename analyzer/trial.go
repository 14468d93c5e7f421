package analyzer

import (
	"math"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
	"github.com/haldane-canary/haldane/sketch"
)

// splitAlpha is the chance, over a rollout's life, that a sound split is
// taken for a broken one.
const splitAlpha = 0.001

// A Trial gathers the evidence of one rollout: counts go onto its tape, and
// its verdict may be asked for at any time. It is not safe for concurrent use.
// Equal sequences of Enter, Add, Observe and Turn give equal verdicts.
type Trial struct {
	spec       Spec
	indicators []*indicator
	tape       Tape
	page       int
	open       []Segment // the tape's segments of the present page
	pageN      uint64    // observations on the open page
	closedN    uint64    // observations on the closed ones
	closed     [haldane.NumTracks]uint64

	canaryLatencies uint64 // how many were counted
	latencies       pooled
	step            int
	epochs          []epochCounts
}

// epochCounts are the totals of one weight epoch.
type epochCounts struct {
	Key
	tracks [haldane.NumTracks]Counts // without latencies
}

// NewTrial returns a trial without observations, at step 0, or ErrSpec,
// wrapped.
func NewTrial(spec Spec) (*Trial, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	t := &Trial{spec: spec.withDefaults()}
	for _, ind := range t.spec.Indicators {
		t.indicators = append(t.indicators, newIndicator(ind))
	}
	t.step = -1
	t.Enter(0)
	return t, nil
}

// Enter begins a step of the plan, counted from 1: promotion evidence is
// gathered afresh, from the observations that belong to it. It ends the page.
// Entering the present step again changes nothing.
func (t *Trial) Enter(step int) {
	if step == t.step {
		return
	}
	if len(t.open) > 0 {
		t.endPage()
	}
	t.step = step
	for _, i := range t.indicators {
		i.enter(step, t.spec.promote(i.Indicator, step), t.spec.lastStep(step))
	}
	// The new processes must know the latencies of the pages that are over.
	for _, i := range t.indicators {
		for _, p := range i.fine {
			p.bettor.turn(&t.latencies)
		}
	}
}

// segment returns the open page's segment of k, begun if need be. The pointer
// is good until the next call.
func (t *Trial) segment(k Key) *Segment {
	for i := range t.open {
		if t.open[i].Key == k {
			return &t.open[i]
		}
	}
	t.open = append(t.open, Segment{Page: t.page, Key: k})
	return &t.open[len(t.open)-1]
}

// epoch returns the totals of k, begun if need be.
func (t *Trial) epoch(k Key) *[haldane.NumTracks]Counts {
	for i := len(t.epochs) - 1; i >= 0; i-- {
		if t.epochs[i].Key == k {
			return &t.epochs[i].tracks
		}
	}
	t.epochs = append(t.epochs, epochCounts{Key: k})
	return &t.epochs[len(t.epochs)-1].tracks
}

// Add puts counts of a track on the tape.
func (t *Trial) Add(k Key, track haldane.Track, c Counts) {
	t.segment(k).Tracks[track].merge(c)
	if track == haldane.Canary {
		t.canaryLatencies += c.Latency.Total()
	}
	c.Latency = sketch.Histogram{}
	t.epoch(k)[track].merge(c)
	t.pageN += c.N
}

// Observe puts one observation on the tape; bucket is its latency's
// (sketch.Index), and is not looked at if the observation failed or warm is
// false. No allocation but where a histogram grows.
func (t *Trial) Observe(k Key, track haldane.Track, failed, warm bool, bucket int) {
	s, e := &t.segment(k).Tracks[track], &t.epoch(k)[track]
	s.Assigned, e.Assigned = s.Assigned+1, e.Assigned+1
	s.N, e.N = s.N+1, e.N+1
	t.pageN++
	if failed {
		s.Errors, e.Errors = s.Errors+1, e.Errors+1
		return
	}
	if warm {
		s.Latency.Add(bucket, 1)
		if track == haldane.Canary {
			t.canaryLatencies++
		}
	}
}

// Turn ends the page if it is full, so that what it showed can be bet on. It
// is to be called between batches of observations: its answer depends on
// their number alone.
func (t *Trial) Turn() {
	if t.pageN >= firstPage && t.pageN*pageGrowth >= t.closedN {
		t.endPage()
	}
}

func (t *Trial) endPage() {
	for _, i := range t.indicators {
		i.each(func(p *process) { p.close(t.open, t.weightOf) })
	}
	for s := range t.open {
		for track := range t.latencies {
			c := &t.open[s].Tracks[track]
			t.latencies[track].Merge(c.Latency)
			t.closed[track] += c.N
		}
	}
	t.closedN += t.pageN
	t.tape.Segments = append(t.tape.Segments, t.open...)
	t.open, t.pageN = nil, 0
	t.page++
	for _, i := range t.indicators {
		i.each(func(p *process) { p.bettor.turn(&t.latencies) })
	}
}

// weightOf returns the probability of the canary in s: as it was drawn, or if
// that is not known, the share of it in the pages before, so that it too was
// fixed before what it is used on. 0 on the first page.
func (t *Trial) weightOf(s *Segment) float64 {
	if s.Weight != 0 || t.closedN == 0 {
		return s.Weight
	}
	return float64(t.closed[haldane.Canary]) / float64(t.closedN)
}

// Judgement returns what the evidence amounts to now, without the rest of the
// verdict. O(alternatives × buckets of the open page).
func (t *Trial) Judgement() haldane.Judgement {
	j, _, _ := t.judge()
	return j
}

// judge weighs all processes: the judgement, and each indicator's two logs.
func (t *Trial) judge() (j haldane.Judgement, harm, fine []float64) {
	suspicion := false
	pass := !t.unheard()
	limit, promoteLimit := math.Log(1/t.spec.Alpha), math.Log(1/t.spec.AlphaPromote)
	for _, i := range t.indicators {
		h, f := i.logHarm(t), i.logFine(t)
		harm, fine = append(harm, h), append(fine, f)
		suspicion = suspicion || leans(h)
		pass = pass && f >= promoteLimit
	}
	switch {
	case t.splitBroken():
		return haldane.Undecided, harm, fine
	case evalue.Equal(len(harm)).LogE(harm) >= limit:
		return haldane.Fail, harm, fine
	case pass && !suspicion:
		return haldane.Pass, harm, fine
	}
	return haldane.Undecided, harm, fine
}

// leans reports whether the evidence leans towards harm: a wealth above what
// the gambler began with. It condemns nobody, but nobody is promoted on it; a
// canary that is not worse spends little of its time there. The allowance is
// for the rounding of the shares of a mixture.
func leans(logHarm float64) bool { return logHarm > 1e-9 }

// unheard reports whether the canary has not been heard of enough at this step
// to be promoted, whatever those requests that have ended say: none has, or
// more are still under way than the baseline's would lead to expect. Answers
// come at once and time-outs late, so that the fastest must not decide alone.
func (t *Trial) unheard() bool {
	heard, under, expected := uint64(0), 0.0, 0.0
	for i := range t.epochs {
		e := &t.epochs[i]
		if e.Step != t.step || e.Weight >= 1 {
			continue
		}
		b, c := &e.tracks[haldane.Baseline], &e.tracks[haldane.Canary]
		heard += c.N
		under += float64(c.drawn() - c.N - c.Canceled)
		expected += float64(b.drawn()-b.N-b.Canceled) * e.Weight / (1 - e.Weight)
	}
	return heard == 0 || under > expected+3*math.Sqrt(expected)+3
}

// splitBroken reports whether the tracks' shares of the requests are not the
// weights that they were drawn with; then nothing else can be believed.
func (t *Trial) splitBroken() bool {
	sum := 0.0
	for i := range t.epochs {
		e := &t.epochs[i]
		b, c := &e.tracks[haldane.Baseline], &e.tracks[haldane.Canary]
		sum += evalue.LogESplit(e.Weight, b.drawn(), c.drawn())
	}
	return sum >= math.Log(1/splitAlpha)
}

// segments returns the whole tape, the open page too.
func (t *Trial) segments() []Segment {
	return append(append([]Segment(nil), t.tape.Segments...), t.open...)
}

// totals returns both tracks' observations over the trial's life.
func (t *Trial) totals() (out [haldane.NumTracks]haldane.Totals) {
	for i := range t.epochs {
		for track := range out {
			out[track].N += t.epochs[i].tracks[track].N
			out[track].Errors += t.epochs[i].tracks[track].Errors
		}
	}
	return out
}
