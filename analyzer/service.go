package analyzer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/sketch"
)

// republishEvery is how often a verdict that says the same as before is
// published again, so that people see it live and the controller that it is
// not old. A judgement that changes is published at once.
const republishEvery = 500 * time.Millisecond

// inputs is how many reports and splits may wait; a report that finds no room
// is dropped and counted, which costs delay only, since reports are cumulative.
const inputs = 4096

// A Service judges rollouts from the reports of proxies, one trial for each,
// and publishes their verdicts. All trials are owned by Run's goroutine.
type Service struct {
	publish   func(context.Context, haldane.Verdict) error
	log       *slog.Logger
	reports   chan sketch.Report
	splits    chan haldane.Split
	stopped   chan struct{} // closed when Run has returned
	followers map[string]*follower
	dropped   atomic.Uint64
	refused   atomic.Uint64
}

// NewService returns a service for one rollout of each service named in specs,
// or every fault of them, joined, each wrapping ErrSpec.
func NewService(specs []Spec, publish func(context.Context, haldane.Verdict) error, log *slog.Logger) (*Service, error) {
	s := &Service{publish: publish, log: log, reports: make(chan sketch.Report, inputs), splits: make(chan haldane.Split, inputs), stopped: make(chan struct{}), followers: map[string]*follower{}}
	var faults []error
	for _, spec := range specs {
		if err := spec.Validate(); err != nil {
			faults = append(faults, fmt.Errorf("rollout %s of service %s: %w", spec.Rollout, spec.Service, err))
		}
		s.followers[spec.Service] = &follower{spec: spec.withDefaults()}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return s, nil
}

// Remember hands over a decision that was made before this service began, in
// their order and before Run: a rollout's trial goes on from the counts of the
// latest one that rested on any. What a proxy counted since then, it reports
// again in full; of the epochs before, only what it counts from now on is
// taken, on both tracks alike. What a proxy that ended too had counted since
// then is lost.
func (s *Service) Remember(d haldane.Decision) {
	if f := s.followers[d.Service]; f != nil && len(d.Evidence.Counts) > 0 {
		f.memory = &memory{rollout: d.Rollout, seq: d.Seq, counts: d.Evidence.Counts}
	}
}

// Report hands over what a proxy has counted. It does not wait.
func (s *Service) Report(r sketch.Report) {
	select {
	case s.reports <- r:
	default:
		s.dropped.Add(1)
	}
}

// Split hands over a change of weight. It waits only while the queue is full
// and Run has not returned, for a split must not be lost.
func (s *Service) Split(split haldane.Split) {
	select {
	case s.splits <- split:
	case <-s.stopped:
	}
}

// Dropped returns how many reports found no room, and Refused how many were
// not fit to be counted (of another weight than the split says, or running
// backwards).
func (s *Service) Dropped() uint64 { return s.dropped.Load() }

// Refused returns how many reports could not be counted; see Dropped.
func (s *Service) Refused() uint64 { return s.refused.Load() }

// Run judges until ctx is done, and returns nil then. A verdict that cannot be
// published is logged; the next one will carry all that it carried. It is to
// be called once.
func (s *Service) Run(ctx context.Context) error {
	defer close(s.stopped)
	for {
		touched := map[*follower]bool{}
		select {
		case <-ctx.Done():
			return nil
		case split := <-s.splits:
			s.split(split)
		case r := <-s.reports:
			s.report(r, touched)
		}
		s.drain(touched)
		for f := range touched {
			s.judge(ctx, f)
		}
	}
}

// drain takes what has come meanwhile, to be judged together: splits first.
func (s *Service) drain(touched map[*follower]bool) {
	for {
		select {
		case split := <-s.splits:
			s.split(split)
			continue
		default:
		}
		select {
		case r := <-s.reports:
			s.report(r, touched)
		default:
			return
		}
	}
}

// split gives a change of weight to its follower.
func (s *Service) split(split haldane.Split) {
	f := s.followers[split.Service]
	if f == nil {
		return
	}
	if err := f.split(split); err != nil {
		s.log.Error("split refused", "rollout", split.Rollout, "error", err)
	}
}

// report gives a report to its follower, and notes whose counts have changed.
func (s *Service) report(r sketch.Report, touched map[*follower]bool) {
	f := s.followers[r.Service]
	if f == nil {
		return
	}
	counted, err := f.report(r)
	if err != nil {
		s.refused.Add(1)
		s.log.Warn("report refused", "rollout", r.Rollout, "proxy", r.Proxy, "error", err)
	}
	if counted {
		touched[f] = true
	}
}

// judge publishes f's verdict if it is news.
func (s *Service) judge(ctx context.Context, f *follower) {
	v, err := f.verdict(time.Now())
	if err != nil {
		s.log.Error("verdict not made", "rollout", f.current.Rollout, "error", err)
		return
	}
	if v == nil {
		return
	}
	if err := s.publish(ctx, *v); err != nil {
		s.log.Warn("verdict not published", "rollout", v.Rollout, "verdict", v.Judgement, "error", err)
		f.published = time.Time{} // so that the next one is
	}
}
