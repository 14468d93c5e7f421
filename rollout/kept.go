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

// check returns ErrDamaged, wrapped, unless r can follow what is kept.
func (k kept) check(r record) error {
	d, _ := r.decision()
	if r.Ack != nil {
		h := k[name{r.Ack.Service, r.Ack.Rollout}]
		if h == nil || r.Ack.Seq == 0 || r.Ack.Seq > uint64(len(h.decisions)) {
			return fmt.Errorf("decision %s/%d is acknowledged but was never written: %w", r.Ack.Rollout, r.Ack.Seq, ErrDamaged)
		}
		return nil
	}
	if d == nil {
		return fmt.Errorf("a second header: %w", ErrDamaged)
	}
	h := k[name{d.Service, d.Rollout}]
	if h == nil {
		h = &history{}
	}
	if d.Seq == 0 || d.Seq > uint64(len(h.decisions))+1 {
		return fmt.Errorf("decision %s/%d follows %d: %w", d.Rollout, d.Seq, len(h.decisions), ErrDamaged)
	}
	if d.Seq <= uint64(h.accepted) && !same(h.decisions[d.Seq-1], *d) {
		return fmt.Errorf("decision %s/%d is there twice, and not the same: %w", d.Rollout, d.Seq, ErrDamaged)
	}
	return nil
}

// add keeps r, or returns what check does.
func (k kept) add(r record) error {
	if err := k.check(r); err != nil {
		return err
	}
	if r.Ack != nil {
		h := k[name{r.Ack.Service, r.Ack.Rollout}]
		h.accepted = max(h.accepted, int(r.Ack.Seq))
		return nil
	}
	d, accepted := r.decision()
	n := name{d.Service, d.Rollout}
	h := k[n]
	if h == nil {
		h = &history{}
		k[n] = h
	}
	h.put(*d, accepted)
	return nil
}

// put takes d into h, in place of what stood there.
func (h *history) put(d haldane.Decision, accepted bool) {
	i := int(d.Seq) - 1
	if i < h.accepted {
		return // the same again
	}
	h.decisions = append(h.decisions[:i:i], d)
	if accepted {
		h.accepted = i + 1
	}
}

// decision returns the decision that r writes, if any, and whether the log is
// known to have it.
func (r record) decision() (d *haldane.Decision, accepted bool) {
	if r.Accepted != nil {
		return r.Accepted, true
	}
	return r.Decision, false
}

// same reports whether a and b are one decision.
func same(a, b haldane.Decision) bool {
	a.At, b.At = a.At.UTC(), b.At.UTC()
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
