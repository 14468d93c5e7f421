package proxy

import (
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/sketch"
)

// seenBits is the size of the memory of sticky units: 2^24 bits are 2 MiB.
const seenBits = 24

// A service is a Service at work.
type service struct {
	Service
	routes []string // by rule.route
	tracks [haldane.NumTracks]*track
	salt   uint64
	state  atomic.Pointer[state] // swapped under Proxy.mu, read by requests

	seen        *sketch.Seen // of the generation seenRollout; guarded by Proxy.mu
	seenRollout string

	inFlight [haldane.NumTracks]atomic.Int64
	retries  atomic.Uint64
}

// A state is what is in force for a service from one split to the next. A
// request takes it once and keeps it to its end. Nothing in it changes but its
// counters.
type state struct {
	split  haldane.Split // the zero Split before any
	weight uint32        // in force: the split's, or 0 where the canary may not serve
	salt   uint64
	cells  [haldane.NumTracks][]*collectors.Cell // by route
	seen   *sketch.Seen                          // nil unless sticky and being judged
	served [haldane.NumTracks]atomic.Uint64      // requests drawn
}

// routeNamed returns the index of the route of that name, added if it is new:
// two matches may share a route.
func (s *service) routeNamed(name string) int {
	for i, r := range s.routes {
		if r == name {
			return i
		}
	}
	s.routes = append(s.routes, name)
	return len(s.routes) - 1
}

// runs reports whether rollout is a generation of the service's own: its
// configured name, or that and a number ("shop-1.5.0.2").
func (s *service) runs(rollout string) bool {
	if s.Rollout == "" {
		return false
	}
	rest, ok := strings.CutPrefix(rollout, s.Rollout)
	if !ok || rest == "" {
		return ok
	}
	digits, ok := strings.CutPrefix(rest, ".")
	n, err := strconv.ParseUint(digits, 10, 32)
	return ok && err == nil && n >= 2 && digits[0] != '0'
}

// enter puts split in force, with weight 0 if the proxy is orphaned. It
// returns the state before. Proxy.mu is held.
func (s *service) enter(tally *collectors.Tally, split haldane.Split, orphaned bool) (old *state) {
	old = s.state.Load()
	next := &state{split: split, salt: s.salt}
	able := !orphaned && len(s.Canary.Upstreams) > 0
	if able {
		next.weight = uint32(split.Weight)
	}
	arm := collectors.Arm{Service: s.Name}
	if able && judged(split) {
		arm.Rollout, arm.Epoch, arm.Weight = split.Rollout, split.Epoch, split.Weight
		next.seen = s.seenIn(split.Rollout)
	}
	for t := range haldane.Track(haldane.NumTracks) {
		arm.Track, arm.Version = t, s.tracks[t].version
		next.cells[t] = make([]*collectors.Cell, len(s.routes))
		for i, route := range s.routes {
			arm.Route = route
			next.cells[t][i] = tally.Arm(arm)
		}
	}
	s.state.Store(next)
	return old
}

// judged reports whether what is drawn under split is evidence.
func judged(split haldane.Split) bool {
	return split.Rollout != "" && split.Phase != haldane.Pending && !split.Phase.Settled()
}

// seenIn returns the memory of the sticky units of one generation, or nil if
// the service is not sticky. Proxy.mu is held.
func (s *service) seenIn(rollout string) *sketch.Seen {
	if !s.Assign.Sticky() {
		return nil
	}
	if s.seen == nil || s.seenRollout != rollout {
		s.seen, s.seenRollout = sketch.NewSeen(seenBits), rollout
	}
	return s.seen
}
