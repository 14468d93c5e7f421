package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/rollout"
)

// An Outcome is what one request came to.
type Outcome struct {
	Failed  bool
	Latency float64 // seconds
}

// A Service answers the requests of one rollout. It may remember what it
// likes: a new one is made for each rollout.
type Service interface {
	// Answer returns what happens to a request that arrives now, since the
	// rollout's start, on a track.
	Answer(r *rand.Rand, now time.Duration, t haldane.Track) Outcome
}

// A World is a kind of service and how rollouts in it are planned and judged.
type World struct {
	Name    string
	Rate    float64        // mean requests a second
	New     func() Service // a fresh service
	Plan    rollout.Plan   //
	Spec    analyzer.Spec  // its Steps are filled in from Plan
	Horizon time.Duration  // when to give up waiting for the rollout to settle
}

// Profile is a plain service: failures with a fixed probability, and latencies
// that are log-normal, around Median seconds with Sigma in natural logs.
type Profile struct {
	Failures float64
	Median   float64
	Sigma    float64
	TailEach float64 // share of the requests that take TailBy times as long
	TailBy   float64
}

// draw returns one outcome of p.
func (p Profile) draw(r *rand.Rand) Outcome {
	l := p.Median * math.Exp(p.Sigma*r.NormFloat64())
	if p.TailEach > 0 && r.Float64() < p.TailEach {
		l *= p.TailBy
	}
	return Outcome{Failed: r.Float64() < p.Failures, Latency: l}
}

// Steady is a service whose tracks each have a fixed profile.
type Steady [haldane.NumTracks]Profile

// Answer draws from the track's profile.
func (s Steady) Answer(r *rand.Rand, _ time.Duration, t haldane.Track) Outcome { return s[t].draw(r) }

// Restless is a service whose tracks are alike, but which is hard to be fair
// to: its latencies are autocorrelated and follow a season, and now and then
// an incident slows and fails both versions at once.
type Restless struct {
	Profile
	drift    float64       // of log-latency: an AR(1) process
	incident time.Duration // when the present one ends
	next     time.Duration // when the next one begins
}

// Answer draws from the profile of the moment.
func (s *Restless) Answer(r *rand.Rand, now time.Duration, _ haldane.Track) Outcome {
	// Lag-one autocorrelation 0.6 of the log-latency, as in the OnlineBoutique
	// traces of the project's data notes.
	const rho = 0.6
	s.drift = rho*s.drift + math.Sqrt(1-rho*rho)*r.NormFloat64()
	if now >= s.next {
		s.incident = now + time.Duration(r.ExpFloat64()*float64(3*time.Second))
		s.next = s.incident + time.Duration(r.ExpFloat64()*float64(30*time.Second))
	}
	season := 0.5 * math.Sin(2*math.Pi*now.Seconds()/60)
	o := Outcome{Latency: s.Median * math.Exp(s.Sigma*s.drift+season)}
	fail := s.Failures
	if now < s.incident {
		o.Latency *= 3
		fail = min(1, fail+0.2)
	}
	o.Failed = r.Float64() < fail
	return o
}
