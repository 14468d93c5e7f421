package attach

import (
	"charm.land/lipgloss/v2"

	"github.com/haldane-canary/haldane"
)

// A theme is how things are set off. It uses the sixteen colours that the
// user's terminal defines; where there are none, words still tell.
type theme struct {
	strong, faint, good, bad, doubt, alarm lipgloss.Style
}

func newTheme() theme {
	plain := lipgloss.NewStyle()
	return theme{
		strong: plain.Bold(true),
		faint:  plain.Faint(true),
		good:   plain.Foreground(lipgloss.Green),
		bad:    plain.Foreground(lipgloss.Red),
		doubt:  plain.Foreground(lipgloss.Yellow),
		alarm:  plain.Reverse(true),
	}
}

// judgement returns how j is set off.
func (t theme) judgement(j haldane.Judgement) lipgloss.Style {
	switch j {
	case haldane.Pass:
		return t.good
	case haldane.Fail:
		return t.bad
	case haldane.Undecided:
	}
	return t.doubt
}

// phase returns how p is set off.
func (t theme) phase(p haldane.Phase) lipgloss.Style {
	switch p {
	case haldane.RolledBack, haldane.Aborted:
		return t.bad
	case haldane.Completed, haldane.Watching:
		return t.good
	case haldane.Held:
		return t.doubt
	case haldane.Pending, haldane.Stepping:
	}
	return t.strong
}
