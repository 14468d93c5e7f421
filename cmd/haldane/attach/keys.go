package attach

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/haldane-canary/haldane"
)

// A binding is a key, the verb it stands for, and in which phases it can be
// carried out.
type binding struct {
	key, verb, label string
	asks             bool // for a reason first: what moves much traffic is not one slip away
	fits             func(haldane.Phase) bool
}

// bindings returns the keys, in the order in which they are shown.
func bindings() []binding {
	in := func(phases ...haldane.Phase) func(haldane.Phase) bool {
		return func(p haldane.Phase) bool { return slices.Contains(phases, p) }
	}
	return []binding{
		{"s", "start", "start", true, func(p haldane.Phase) bool { return p == haldane.Pending || p.Settled() }},
		{"p", "promote", "promote", true, in(haldane.Stepping, haldane.Held)},
		{"h", "hold", "hold", false, in(haldane.Stepping)},
		{"u", "resume", "resume", false, in(haldane.Held)},
		{"r", "rollback", "roll back", true, haldane.Phase.Running},
		{"a", "abort", "abort", true, haldane.Phase.Running},
	}
}

// key carries out a key press.
func (m model) key(k tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	pressed := k.String()
	if pressed == "q" || pressed == "ctrl+c" || pressed == "esc" {
		return m, tea.Quit
	}
	if m.status == nil {
		return m, nil
	}
	m.noteAt = m.now
	for _, b := range bindings() {
		switch {
		case b.key != pressed:
		case !b.fits(m.status.Phase):
			m.note = b.label + " is not possible now: " + m.status.Name + " is " + string(m.status.Phase)
		case b.asks:
			m.note, m.ask = "", &prompt{verb: b.verb}
		default:
			m.note = b.verb + " …"
			return m, m.do(b.verb, "by hand, from the screen")
		}
	}
	return m, nil
}

// answer takes a key press as part of the answer to the open question.
func (m model) answer(k tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	ask := *m.ask
	m.noteAt = m.now
	switch k.String() {
	case "ctrl+c":
		return m, tea.Quit
	case "esc":
		m.ask, m.note = nil, ask.verb+": not done"
		return m, nil
	case "enter":
		m.ask, m.note = nil, ask.verb+" …"
		reason := strings.TrimSpace(ask.reason)
		if reason == "" {
			reason = "by hand, from the screen"
		}
		return m, m.do(ask.verb, reason)
	case "backspace":
		if r := []rune(ask.reason); len(r) > 0 {
			ask.reason = string(r[:len(r)-1])
		}
	case "ctrl+u":
		ask.reason = ""
	default:
		ask.reason += oneLine(k.Text)
	}
	m.ask = &ask
	return m, nil
}

// oneLine returns s without what would break a line or move the cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ReplaceAll(s, "\n", " "))
}
