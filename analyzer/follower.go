package analyzer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/sketch"
)

// errWeight is returned, wrapped, for a report that was counted under another
// weight than its epoch has.
var errWeight = errors.New("weight differs from the epoch's")

// maxTraces is how many trace ids a verdict carries.
const maxTraces = 5

// A follower keeps the trial of one service's rollout: it turns cumulative
// reports into what is new in them.
type follower struct {
	spec      Spec
	current   haldane.Split            // the newest one; its Rollout is "" before the first
	epochs    map[uint64]haldane.Split // of the present generation
	trial     *Trial
	seen      map[source]sketch.Report // the last report of each proxy and epoch
	at        time.Time                // of the newest observation
	traces    []string
	judgement haldane.Judgement
	published time.Time
	failed    *haldane.Verdict // the first that said so, if any: it stands
	memory    *memory          // of before a restart; nil if there is none
}

// A memory is what a rollout's trial had counted before a restart.
type memory struct {
	rollout string
	seq     uint64 // of the decision that rested on them: they are of the epochs before it
	counts  json.RawMessage
}

type source struct {
	proxy string
	epoch uint64
}

// split takes a change of weight. Another rollout name is a new generation,
// with clean statistics.
func (f *follower) split(s haldane.Split) error {
	if f.current.Rollout != "" && s != f.current && !s.Supersedes(f.current) {
		return nil
	}
	if s.Rollout != f.current.Rollout {
		spec := f.spec
		spec.Rollout = s.Rollout
		trial, err := NewTrial(spec)
		if err != nil {
			return err
		}
		memory := f.memory
		if memory != nil && memory.rollout != s.Rollout {
			memory = nil
		}
		*f = follower{spec: f.spec, epochs: map[uint64]haldane.Split{}, seen: map[source]sketch.Report{}, memory: memory}
		f.current = s
		if memory != nil {
			trial.Enter(s.Step)
			if err := trial.resume(memory.counts); err != nil {
				return fmt.Errorf("go on from before the restart: %w", err)
			}
		}
		f.trial = trial
	}
	if f.trial == nil {
		return nil // refused above: without its counts nothing is judged
	}
	f.current = s
	f.epochs[s.Epoch] = s
	f.trial.Enter(s.Step)
	return nil
}

// report counts what is new in r, and tells whether anything was looked at.
func (f *follower) report(r sketch.Report) (bool, error) {
	epoch, known := f.epochs[r.Epoch]
	if f.trial == nil || r.Rollout != f.current.Rollout || !known {
		return false, nil // not ours (yet): a later report will hold it all
	}
	if r.Weight == 0 {
		return false, nil // nothing was drawn, so there is nothing to compare
	}
	if err := r.Validate(); err != nil {
		return false, err
	}
	if r.Weight != epoch.Weight {
		return false, fmt.Errorf("epoch %d at %v, reported at %v: %w", r.Epoch, epoch.Weight, r.Weight, errWeight)
	}
	id := source{r.Proxy, r.Epoch}
	last, before := f.seen[id]
	if !before && f.memory != nil && r.Epoch < f.memory.seq {
		f.seen[id] = r // how much of it was counted before the restart is not known
		return false, nil
	}
	if before && r.To.Before(last.To) {
		return false, nil // overtaken by a later one
	}
	since := r.From
	if before {
		since = last.To
	}
	fresh, err := news(r, last)
	if err != nil {
		return false, err
	}
	warm := !since.Before(f.current.Started.Add(f.spec.Warmup))
	for track, c := range fresh {
		if !warm {
			c.Latency = sketch.Histogram{}
		}
		if c.drawn() > 0 {
			f.trial.Add(Key{Epoch: r.Epoch, Step: epoch.Step, Weight: r.Weight.Fraction()}, haldane.Track(track), c)
		}
	}
	f.trial.Turn()
	f.seen[id] = r
	if r.To.After(f.at) {
		f.at = r.To
	}
	f.keepTraces(r.Traces)
	return true, nil
}

// news returns what r has counted since last, all routes together.
func news(r, last sketch.Report) (out [haldane.NumTracks]Counts, err error) {
	type place struct {
		track haldane.Track
		route string
	}
	old := make(map[place]sketch.Window, len(last.Windows))
	for _, w := range last.Windows {
		old[place{w.Track, w.Route}] = w
	}
	for _, w := range r.Windows {
		d, err := w.Minus(old[place{w.Track, w.Route}])
		if err != nil {
			return out, err
		}
		out[w.Track].merge(Counts{
			Assigned: d.Assigned, N: d.N(), Errors: d.Errors(), Canceled: d.Classes[haldane.Canceled], Latency: d.Latency,
		})
	}
	return out, nil
}

// keepTraces keeps the latest trace ids. A report repeats those that it told
// before, so each is kept once.
func (f *follower) keepTraces(ids []string) {
	for _, id := range ids {
		if !slices.Contains(f.traces, id) {
			f.traces = append(f.traces, id)
		}
	}
	if n := len(f.traces) - maxTraces; n > 0 {
		f.traces = append([]string(nil), f.traces[n:]...)
	}
}

// verdict returns the verdict to publish now, or nil if it would be no news. A
// fail stands, and is told again until it is heard.
func (f *follower) verdict(now time.Time) (*haldane.Verdict, error) {
	if f.failed != nil {
		if now.Sub(f.published) < republishEvery {
			return nil, nil
		}
		f.published = now
		return f.failed, nil
	}
	j := f.trial.Judgement()
	if j == f.judgement && now.Sub(f.published) < republishEvery {
		return nil, nil
	}
	v := f.trial.Verdict(f.at)
	v.Served = f.served()
	v.Epoch, v.TraceIDs = f.current.Epoch, append([]string(nil), f.traces...)
	f.eta(&v)
	var err error
	if v.Counts, err = f.trial.Tape(); err != nil {
		return nil, err
	}
	f.judgement, f.published = j, now
	if v.Judgement == haldane.Fail {
		f.failed = &v
	}
	return &v, nil
}

// served returns the canary's share of what was assigned in the present epoch.
func (f *follower) served() haldane.Weight {
	for i := range f.trial.epochs {
		if e := &f.trial.epochs[i]; e.Epoch == f.current.Epoch {
			return served(e)
		}
	}
	return 0
}

// eta adds how long the data still needed will take, at the rate of this epoch.
func (f *follower) eta(v *haldane.Verdict) {
	elapsed := f.at.Sub(f.current.Since).Seconds()
	var n uint64
	for i := range f.trial.epochs {
		if e := &f.trial.epochs[i]; e.Epoch == f.current.Epoch {
			n += e.tracks[haldane.Baseline].N + e.tracks[haldane.Canary].N
		}
	}
	if n == 0 || elapsed <= 0 {
		return
	}
	seconds := func(requests uint64) int64 { return int64(float64(requests) * elapsed / float64(n)) }
	for i := range v.Indicators {
		v.Indicators[i].Needs.Seconds = seconds(v.Indicators[i].Needs.Requests)
	}
	v.Needs.Seconds = seconds(v.Needs.Requests)
}
