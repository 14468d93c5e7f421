package collectors

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/haldane-canary/haldane"
)

// seriesKey holds the labels that requests are scraped by. Epochs are not
// among them: they would make a series of every weight change.
type seriesKey struct {
	service, rollout, version, route string
	track                            haldane.Track
}

// labels returns the label values in the order of the metrics' descriptions.
func (k seriesKey) labels() []string {
	return []string{k.service, k.rollout, k.track.String(), k.version, k.route}
}

// series counts what Prometheus is told of one seriesKey.
type series struct {
	seriesKey
	created   time.Time
	classes   [haldane.NumClasses]atomic.Uint64
	durations dense         // of all counted requests, failed ones too
	micros    atomic.Uint64 // their sum, in microseconds: 584,000 years to overflow
	exemplars [len(classicBounds) + 1]atomic.Pointer[exemplar]
}

// An exemplar is one traced request, to be looked at.
type exemplar struct {
	traceID string
	seconds float64
	at      time.Time
}

// exemplarAge is how long an exemplar stays before another may take its
// place: scrapes come no more often, and a new one is an allocation.
const exemplarAge = time.Second

// observe counts one request whose latency falls in sketch's bucket i.
func (s *series) observe(class haldane.Class, i int, latency time.Duration, traceID string) {
	s.classes[class].Add(1)
	if !class.Counted() {
		return
	}
	s.durations.add(i)
	s.micros.Add(uint64(max(latency, 0).Round(time.Microsecond) / time.Microsecond))
	if traceID != "" {
		s.illustrate(latency, traceID)
	}
}

// illustrate makes a request the exemplar of its classic bucket, unless that
// has a fresh one. It copies the trace id, which may be part of a header.
func (s *series) illustrate(latency time.Duration, traceID string) {
	now, seconds := time.Now(), latency.Seconds()
	slot := &s.exemplars[classicIndex(seconds)]
	if old := slot.Load(); old != nil && now.Sub(old.at) < exemplarAge {
		return
	}
	slot.Store(&exemplar{traceID: strings.Clone(traceID), seconds: seconds, at: now})
}
