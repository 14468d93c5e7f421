package sketch

import (
	"errors"
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrRegression is returned, wrapped, where a cumulative count has fallen.
var ErrRegression = errors.New("cumulative count has fallen")

// A Window is what was seen of one track and route over [From, To): counts by
// class, and the latencies of the requests that did not fail (see
// haldane.Class.Failed), so that a fast failure cannot pass for a fast answer.
type Window struct {
	Track    haldane.Track              `json:"track"`
	Route    string                     `json:"route"`
	Assigned uint64                     `json:"assigned"` // requests drawn for the track, also those that have not ended yet
	Classes  [haldane.NumClasses]uint64 `json:"classes"`  // indexed by haldane.Class
	Latency  Histogram                  `json:"latency"`
}

// Observe counts one observation of w's track and route, assigned and ended.
func (w *Window) Observe(c haldane.Class, latency time.Duration) {
	w.Assigned++
	w.Classes[c]++
	if c.Counted() && !c.Failed() {
		w.Latency.Observe(latency)
	}
}

// N returns the number of observations; those that clients gave up are none.
func (w *Window) N() (n uint64) {
	for c, k := range w.Classes {
		if haldane.Class(c).Counted() {
			n += k
		}
	}
	return n
}

// Errors returns the number of observations that failed.
func (w *Window) Errors() (n uint64) {
	for c, k := range w.Classes {
		if haldane.Class(c).Failed() {
			n += k
		}
	}
	return n
}

// Merge adds o's counts to w. Track and Route are the caller's to compare.
func (w *Window) Merge(o Window) {
	w.Assigned += o.Assigned
	for c, k := range o.Classes {
		w.Classes[c] += k
	}
	w.Latency.Merge(o.Latency)
}

// Minus returns what w counted since its earlier state o, or ErrRegression,
// wrapped, if o is no earlier state of w.
func (w Window) Minus(o Window) (Window, error) {
	d := Window{Track: w.Track, Route: w.Route}
	if w.Assigned < o.Assigned {
		return Window{}, fmt.Errorf("%v %s, assigned: from %d to %d: %w", w.Track, w.Route, o.Assigned, w.Assigned, ErrRegression)
	}
	d.Assigned = w.Assigned - o.Assigned
	for c, k := range w.Classes {
		if k < o.Classes[c] {
			return Window{}, fmt.Errorf("%v %s, class %v: from %d to %d: %w",
				w.Track, w.Route, haldane.Class(c), o.Classes[c], k, ErrRegression)
		}
		d.Classes[c] = k - o.Classes[c]
	}
	var err error
	if d.Latency, err = w.Latency.Minus(o.Latency); err != nil {
		return Window{}, fmt.Errorf("%v %s: %w: %w", w.Track, w.Route, ErrRegression, err)
	}
	return d, nil
}

// A Report is what one proxy has counted of one rollout in one weight epoch,
// from the epoch's beginning: counts only grow, so that a lost report costs
// delay and no data. Reports of several proxies merge by addition.
type Report struct {
	Service string         `json:"service"`
	Rollout string         `json:"rollout"`
	Proxy   string         `json:"proxy"` // unique to one run of one proxy
	Epoch   uint64         `json:"epoch"` // see haldane.Split.Epoch
	Weight  haldane.Weight `json:"weight_bp"`
	From    time.Time      `json:"from"`
	To      time.Time      `json:"to"`
	Windows []Window       `json:"windows"`
	Traces  []string       `json:"trace_ids,omitempty"` // of the canary's latest failures, if traced
}

// Validate returns an error that says what of r cannot be: a name missing, a
// weight out of range, time running backwards, a track or histogram unknown.
func (r *Report) Validate() error {
	switch {
	case r.Service == "" || r.Rollout == "" || r.Proxy == "":
		return fmt.Errorf("report of service %q, rollout %q, proxy %q: a name is missing", r.Service, r.Rollout, r.Proxy)
	case r.To.Before(r.From):
		return fmt.Errorf("report of %s by %s: ends at %v before it begins at %v", r.Rollout, r.Proxy, r.To, r.From)
	}
	if _, err := haldane.NewWeight(int(r.Weight)); err != nil {
		return fmt.Errorf("report of %s by %s: %w", r.Rollout, r.Proxy, err)
	}
	return nil
}
