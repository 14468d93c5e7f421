package demo

import (
	"math"
	"math/rand/v2"
	"net/http"
	"time"
)

// longest is the most that an answer is made to wait, whatever was drawn: the
// demo's few workers must not all be caught by one bad version.
const longest = 2 * time.Second

// A Behaviour is how a version answers. Latencies are lognormal, as those of
// most services roughly are: a clear bulk and a tail to the right.
type Behaviour struct {
	Median time.Duration // of the latency
	Spread float64       // standard deviation of the latency's logarithm; 0 = every answer takes Median
	Errors float64       // share of requests answered with 503, in [0, 1]

	// A share Tail of the answers takes TailFactor times as long.
	Tail, TailFactor float64

	// Leak is how much the latency has grown after a thousand requests, as a
	// share of Median: 1 doubles it.
	Leak float64

	// Refuse means that nothing listens: every connection is refused.
	Refuse bool
}

// An Outcome is what a version does with one request.
type Outcome struct {
	Status int
	Wait   time.Duration
}

// Outcome returns what b does with its n-th request, counted from 0. The same
// seed and n always give the same outcome, in whatever order they are asked.
func (b Behaviour) Outcome(seed, n uint64) Outcome {
	r := draw(seed, n)
	seconds := b.Median.Seconds() * math.Exp(b.Spread*r.NormFloat64())
	seconds *= 1 + b.Leak*float64(n)/1000
	if r.Float64() < b.Tail {
		seconds *= b.TailFactor
	}
	o := Outcome{Status: http.StatusOK, Wait: min(time.Duration(seconds*float64(time.Second)), longest)}
	if r.Float64() < b.Errors {
		o.Status = http.StatusServiceUnavailable
	}
	return o
}

// draw returns the randomness that belongs to the n-th event of a seed. The
// odd constant (2^64 over the golden ratio) keeps neighbouring events' sources apart.
func draw(seed, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, (n+1)*0x9e3779b97f4a7c15))
}
