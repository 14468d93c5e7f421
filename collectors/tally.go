package collectors

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/sketch"
)

// A Tally counts the observations of one proxy. Its Cells are for the request
// path; all else takes a lock that requests never wait for.
type Tally struct {
	proxy string

	mu     sync.Mutex // guards what follows; never held while observing
	cells  map[Arm]*Cell
	epochs map[epochKey]*epoch
	series map[seriesKey]*series
}

// epochKey names one weight epoch of one rollout.
type epochKey struct {
	service, rollout string
	epoch            uint64
}

// epoch is what one report is made from.
type epoch struct {
	epochKey
	weight   haldane.Weight
	from     time.Time // on this machine's clock, like every To
	cells    []*Cell
	failures traceRing
}

// NewTally returns an empty Tally. The name must be unique to this run of this
// proxy: counts are cumulative, so a proxy that starts again is another one.
func NewTally(proxy string) *Tally {
	return &Tally{
		proxy:  proxy,
		cells:  make(map[Arm]*Cell),
		epochs: make(map[epochKey]*epoch),
		series: make(map[seriesKey]*series),
	}
}

// Arm returns the Cell that counts a: always the same one, until Forget.
func (t *Tally) Arm(a Arm) *Cell {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.cells[a]; c != nil {
		return c
	}
	c := &Cell{arm: a, series: t.seriesOf(a, now)}
	if a.Rollout != "" {
		c.epoch = t.epochOf(a, now)
		c.epoch.cells = append(c.epoch.cells, c)
	}
	t.cells[a] = c
	return c
}

// epochOf returns the epoch of a, made if need be. t.mu is held.
func (t *Tally) epochOf(a Arm, now time.Time) *epoch {
	key := epochKey{a.Service, a.Rollout, a.Epoch}
	e := t.epochs[key]
	if e == nil {
		e = &epoch{epochKey: key, weight: a.Weight, from: now}
		t.epochs[key] = e
	}
	return e
}

// seriesOf returns the series of a, made if need be. t.mu is held.
func (t *Tally) seriesOf(a Arm, now time.Time) *series {
	key := seriesKey{a.Service, a.Rollout, a.Version, a.Route, a.Track}
	s := t.series[key]
	if s == nil {
		s = &series{seriesKey: key, created: now}
		t.series[key] = s
	}
	return s
}

// Reports returns what was counted of every live rollout from the beginning of
// each of its epochs until now, ordered by service, rollout and epoch, with
// windows ordered by track and route. It does not stop the counting: a request
// observed meanwhile is in this report or in the next.
func (t *Tally) Reports(now time.Time) []sketch.Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	reports := make([]sketch.Report, 0, len(t.epochs))
	for _, e := range t.epochs {
		reports = append(reports, e.report(t.proxy, now))
	}
	slices.SortFunc(reports, func(a, b sketch.Report) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Rollout, b.Rollout), cmp.Compare(a.Epoch, b.Epoch))
	})
	return reports
}

// report returns what e has counted until now.
func (e *epoch) report(proxy string, now time.Time) sketch.Report {
	r := sketch.Report{
		Service: e.service, Rollout: e.rollout, Proxy: proxy, Epoch: e.epoch, Weight: e.weight,
		From: e.from, To: now, Windows: make([]sketch.Window, 0, len(e.cells)), Traces: e.failures.list(),
	}
	if r.To.Before(r.From) {
		r.To = r.From // the epoch began between the reading of the clock and now
	}
	for _, c := range e.cells {
		r.Windows = append(r.Windows, c.window())
	}
	slices.SortFunc(r.Windows, func(a, b sketch.Window) int {
		return cmp.Or(cmp.Compare(a.Track, b.Track), cmp.Compare(a.Route, b.Route))
	})
	return r
}

// Forget frees a settled rollout's epochs: they are reported no more. Requests
// still under way are counted for metrics; the metrics of the rollout stay,
// since a counter must not go down.
func (t *Tally) Forget(rollout string) {
	if rollout == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for arm := range t.cells {
		if arm.Rollout == rollout {
			delete(t.cells, arm)
		}
	}
	for key := range t.epochs {
		if key.rollout == rollout {
			delete(t.epochs, key)
		}
	}
}
