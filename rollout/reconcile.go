package rollout

import (
	"fmt"

	"github.com/haldane-canary/haldane"
)

// fold returns the state that decisions lead to from s.
func fold(s State, ds []haldane.Decision) (State, error) {
	var err error
	for _, d := range ds {
		if s, err = s.Apply(d); err != nil {
			return s, err
		}
	}
	return s, nil
}

// reconcile joins what this controller remembers of a generation with what
// the log holds of it: both from the first decision on, zero being the state
// before. The joined history has all that either holds, in the log's order;
// changed is the index of the first decision that this controller did not
// remember so.
//
// Only a reversal is ever remembered without being in the log. Where the log
// has something else under its number, another controller, or a message of
// ours believed lost, was quicker; the reversal then takes the next number,
// for it wins over everything, unless what was quicker took the weight away
// too.
//
// It returns ErrDamaged, wrapped, if the log no longer has what it once
// accepted, or if what it has makes no sense.
func reconcile(zero State, mine history, logged []haldane.Decision) (joined history, changed int, err error) {
	if len(logged) < mine.accepted {
		return mine, 0, fmt.Errorf("the decision log holds %d decisions of rollout %s, but had accepted %d: %w "+
			"(restore the log and the data folder from the same backup)", len(logged), zero.Rollout, mine.accepted, ErrDamaged)
	}
	for changed < min(len(logged), len(mine.decisions)) && same(mine.decisions[changed], logged[changed]) {
		changed++
	}
	if changed < mine.accepted {
		return mine, 0, fmt.Errorf("the decision log holds another decision %s/%d than the journal: %w "+
			"(restore the log and the data folder from the same backup)", zero.Rollout, changed+1, ErrDamaged)
	}
	s, err := fold(zero, logged)
	if err != nil {
		return mine, 0, fmt.Errorf("the decision log makes no sense: %w: %w", err, ErrDamaged)
	}
	// As far as it was remembered already, with the monotonic clock's readings.
	joined.decisions = append(joined.decisions, mine.decisions[:changed]...)
	joined.decisions = append(joined.decisions, logged[changed:]...)
	joined.accepted = len(logged)
	for _, d := range mine.decisions[changed:] {
		if int(d.Seq) <= len(logged) && (s.Phase == haldane.RolledBack || s.Phase == haldane.Aborted) {
			break
		}
		if int(d.Seq) <= len(logged) {
			d = renumbered(d, s)
		} else {
			changed++
		}
		if s, err = s.Apply(d); err != nil {
			return mine, 0, fmt.Errorf("the journal does not follow the decision log: %w: %w", err, ErrDamaged)
		}
		joined.decisions = append(joined.decisions, d)
	}
	return joined, changed, nil
}
