package rollout

import (
	"encoding/json"
	"fmt"

	"github.com/haldane-canary/haldane"
)

// A name is a rollout with its generation, of a service.
type name struct{ service, rollout string }

// A history is the decisions of one generation from the first on. The first
// accepted of them are known to be in the log.
type history struct {
	decisions []haldane.Decision
	accepted  int
}

// told reports whether the log is known to have all of h.
func (h history) told() bool { return h.accepted == len(h.decisions) }

// with returns h and d after it. The two share nothing that changes.
func (h history) with(d haldane.Decision) history {
	n := len(h.decisions)
	h.decisions = append(h.decisions[:n:n], d)
	return h
}

// kept is what a journal says: the history of every rollout.
type kept map[name]*history

// check returns ErrDamaged, wrapped, unless e can follow what is kept.
func (k kept) check(e entry) error {
	h := k[name{e.Service, e.Rollout}]
	if h == nil {
		h = &history{}
	}
	length := len(h.decisions)
	for i, d := range e.Decisions {
		switch {
		case d.Service != e.Service || d.Rollout != e.Rollout:
			return fmt.Errorf("decision of %s/%s among those of %s/%s: %w", d.Service, d.Rollout, e.Service, e.Rollout, ErrDamaged)
		case i == 0 && (d.Seq <= uint64(h.accepted) || d.Seq > uint64(length)+1), i > 0 && d.Seq != uint64(length)+1:
			return fmt.Errorf("decision %s/%d after %d, of which the log has %d: %w", d.Rollout, d.Seq, length, h.accepted, ErrDamaged)
		}
		length = int(d.Seq)
	}
	if e.Accepted < h.accepted || e.Accepted > length {
		return fmt.Errorf("rollout %s: of %d decisions the log has %d, and had %d: %w", e.Rollout, length, e.Accepted, h.accepted, ErrDamaged)
	}
	return nil
}

// add keeps e, or returns what check does.
func (k kept) add(e entry) error {
	if err := k.check(e); err != nil {
		return err
	}
	n := name{e.Service, e.Rollout}
	h := k[n]
	if h == nil {
		h = &history{}
		k[n] = h
	}
	if len(e.Decisions) > 0 {
		i := int(e.Decisions[0].Seq) - 1
		h.decisions = append(h.decisions[:i:i], e.Decisions...)
	}
	h.accepted = e.Accepted
	return nil
}

// same reports whether a and b are one decision.
func same(a, b haldane.Decision) bool {
	a.At, b.At = a.At.UTC(), b.At.UTC()
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
