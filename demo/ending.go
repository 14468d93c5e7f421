package demo

import (
	"errors"
	"fmt"
	"slices"

	"github.com/haldane-canary/haldane"
)

// ErrEnding is returned, wrapped, for a scene that did not end as it must.
var ErrEnding = errors.New("the scene did not end as it should")

// Over reports whether nothing more will happen in s: the rollout is settled,
// or rests where the scene wants it to.
func (s Scene) Over(now haldane.Status) bool {
	return now.Phase.Settled() || now.Phase == s.Ends
}

// Check returns nil if a rollout that was decided on so, and stands as now
// says, ended as s must end; otherwise ErrEnding, wrapped, with what was
// wrong. A scene that must stay undecided must never have advanced, and must
// say how much more it needs.
func (s Scene) Check(decisions []haldane.Decision, now haldane.Status) error {
	if now.Phase != s.Ends {
		return fmt.Errorf("scene %s: the rollout is %s (%s), not %s: %w", s.Name, now.Phase, now.Reason, s.Ends, ErrEnding)
	}
	verdict := grounds(decisions, now)
	if verdict == nil {
		return fmt.Errorf("scene %s: %s without a verdict: %w", s.Name, now.Phase, ErrEnding)
	}
	if verdict.Judgement != s.Because {
		return fmt.Errorf("scene %s: %s on the verdict %s (%s), not %s: %w",
			s.Name, now.Phase, verdict.Judgement, verdict.Reason, s.Because, ErrEnding)
	}
	if s.Because != haldane.Undecided {
		return nil
	}
	for _, d := range decisions {
		if d.Kind == haldane.KindWeight || d.Kind == haldane.KindPromoted {
			return fmt.Errorf("scene %s: advanced to %v without grounds: %w", s.Name, d.Weight, ErrEnding)
		}
	}
	if verdict.Needs.Requests == 0 {
		return fmt.Errorf("scene %s: undecided, and does not say how much more it needs: %w", s.Name, ErrEnding)
	}
	return nil
}

// grounds returns the verdict that brought a rollout to its end: that of the last
// rollback or promotion, or the latest one if there was none.
func grounds(decisions []haldane.Decision, now haldane.Status) *haldane.Verdict {
	for _, d := range slices.Backward(decisions) {
		if d.Kind == haldane.KindRolledBack || d.Kind == haldane.KindPromoted {
			return d.Verdict
		}
	}
	return now.Verdict
}
