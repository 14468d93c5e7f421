package analyzer

import (
	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
	"github.com/haldane-canary/haldane/sketch"
)

// A bettor says what a segment, drawn at weight w in (0, 1), adds to the
// log-wealth of each of its alternatives.
type bettor interface {
	bet(wealth []float64, s *Segment, w float64)
	// turn tells that the page is over and all its latencies are in p.
	turn(p *pooled)
}

// A process is the wealth of one mixture of bets: over the closed pages, which
// no longer change, and the open one, which is reckoned anew from its counts
// each time. So the same counts give the same number to the bit, however
// often it was asked for on the way.
type process struct {
	mix    evalue.Mixture
	bettor bettor
	step   int // only segments of this step count; anyStep for all
	closed []float64
	now    []float64
}

const anyStep = -1

func newProcess(mix evalue.Mixture, b bettor, step int) *process {
	return &process{mix: mix, bettor: b, step: step,
		closed: make([]float64, len(mix)), now: make([]float64, len(mix))}
}

// add adds a segment to wealth, if it counts and says anything.
func (p *process) add(wealth []float64, s *Segment, w float64) {
	if (p.step == anyStep || p.step == s.Step) && w > 0 && w < 1 {
		p.bettor.bet(wealth, s, w)
	}
}

// close adds the segments of a page that is over.
func (p *process) close(page []Segment, weight func(*Segment) float64) {
	for i := range page {
		p.add(p.closed, &page[i], weight(&page[i]))
	}
}

// wealth returns the log-wealth of each alternative with the open page. It is
// valid until the next call.
func (p *process) wealth(open []Segment, weight func(*Segment) float64) []float64 {
	copy(p.now, p.closed)
	for i := range open {
		p.add(p.now, &open[i], weight(&open[i]))
	}
	return p.now
}

// logE returns the log of the mixed e-value with the open page.
func (p *process) logE(open []Segment, weight func(*Segment) float64) float64 {
	return p.mix.LogE(p.wealth(open, weight))
}

// pooled holds the latencies of all closed pages by track.
type pooled [haldane.NumTracks]sketch.Histogram

// shifted returns both tracks together, the canary's lowered by shift buckets.
func (p *pooled) shifted(shift int) sketch.Histogram {
	h := p[haldane.Baseline].Clone()
	c := p[haldane.Canary]
	c.Offset -= shift
	h.Merge(c)
	return h
}

// total returns the number of latencies.
func (p *pooled) total() uint64 {
	return p[haldane.Baseline].Total() + p[haldane.Canary].Total()
}
