package attach

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/figures"
)

// draw returns the whole screen: the head, a block for each indicator, as many
// of the latest decisions as there is room for, and the foot.
func (m model) draw() string {
	if m.status == nil {
		return m.fit([]string{m.theme.strong.Render(m.name), "", "waiting for the server …"}, m.foot())
	}
	lines := m.head(*m.status)
	if v := m.status.Verdict; v != nil {
		for _, e := range v.Indicators {
			lines = append(lines, "")
			lines = append(lines, m.indicator(*v, e)...)
		}
	}
	foot := m.foot()
	if room := m.height - len(lines) - len(foot) - 2; room > 0 {
		lines = append(lines, "")
		lines = append(lines, m.tail(room+1)...)
	}
	return m.fit(lines, foot)
}

// fit returns lines cut to the screen, with foot at its bottom.
func (m model) fit(lines, foot []string) string {
	room := max(0, m.height-len(foot))
	if len(lines) > room {
		lines = lines[:room]
	}
	for len(lines) < room {
		lines = append(lines, "")
	}
	lines = append(lines, foot...)
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, m.width, "…")
	}
	return strings.Join(lines, "\n")
}

// sides returns left and right at the two ends of a line.
func (m model) sides(left, right string) string {
	gap := m.width - ansi.StringWidth(left) - ansi.StringWidth(right)
	if gap < 2 {
		return left // which matters more
	}
	return left + strings.Repeat(" ", gap) + right
}

// head returns where the rollout stands: phase, asked weight against served
// share, the plan, and the verdict.
func (m model) head(st haldane.Status) []string {
	t := m.theme
	phase := t.phase(st.Phase).Render(string(st.Phase))
	if st.Step > 0 {
		phase += ", step " + figures.Step(st)
	}
	if !st.Started.IsZero() && st.Phase.Running() {
		phase += ", running " + m.since(st.Started)
	}
	at := "at this weight for " + m.since(st.Since)
	if st.Phase == haldane.Stepping && st.Step >= 1 && st.Step <= len(st.Steps) {
		at += ", bake " + figures.Duration(time.Duration(st.Steps[st.Step-1].Bake*float64(time.Second)))
	}
	switch {
	case st.Since.IsZero():
		at = ""
	case !st.Phase.Running():
		at = "for " + m.since(st.Since)
	}
	weight := fmt.Sprintf("weight   %s asked, %v served", t.strong.Render(st.Weight.String()), st.Served)
	lines := []string{
		m.sides(t.strong.Render(st.Name)+"  "+st.Baseline.Version+" → "+st.Canary.Version, phase),
		t.faint.Render(strings.Repeat("─", m.width)),
		m.sides(weight, at),
		"plan     " + m.plan(st),
	}
	return append(lines, m.verdict(st)...)
}

// since returns how long ago t was.
func (m model) since(t time.Time) string {
	if t.IsZero() || m.now.IsZero() {
		return figures.Unknown
	}
	return figures.Duration(m.now.Sub(t))
}

// plan returns the weights of the plan, the present one in brackets.
func (m model) plan(st haldane.Status) string {
	weights := make([]string, 0, len(st.Steps)+1)
	for i, s := range st.Steps {
		w := s.Weight.String()
		if st.Step == i+1 && (st.Phase == haldane.Stepping || st.Phase == haldane.Held) {
			w = m.theme.strong.Render("[" + w + "]")
		}
		weights = append(weights, w)
	}
	full := haldane.FullWeight.String()
	if st.Phase == haldane.Watching || st.Phase == haldane.Completed {
		full = m.theme.strong.Render("[" + full + "]")
	}
	return strings.Join(append(weights, full), " ─ ")
}

// verdict returns the verdict and its reason on two lines, or what is waited
// for.
func (m model) verdict(st haldane.Status) []string {
	v := st.Verdict
	if v == nil {
		text := "none yet: waiting for the first requests"
		if !st.Phase.Running() {
			text = "none: nothing is compared while a rollout is " + string(st.Phase)
		}
		why := st.Reason
		if st.Phase == haldane.Pending && why == "" {
			why = "waits to be started"
		}
		return []string{"verdict  " + text, "why      " + why}
	}
	word := m.theme.judgement(v.Judgement).Bold(true).Render(strings.ToUpper(v.Judgement.String()))
	text := v.Reason
	if !st.Phase.Running() {
		text = st.Reason
	}
	if len(v.Warnings) > 0 {
		text = "WARNING " + strings.Join(v.Warnings, "; ") + "; " + text
	}
	const indent = 9
	wrapped := strings.Split(ansi.Wrap(v.Judgement.String()+"  "+text, max(20, m.width-indent), ""), "\n")
	lines := []string{"verdict  " + word + strings.TrimPrefix(wrapped[0], v.Judgement.String()), ""}
	if len(wrapped) > 1 {
		lines[1] = strings.Repeat(" ", indent) + strings.Join(wrapped[1:], " ")
	}
	return lines
}

// tail returns the latest decisions, the newest last, in n lines with their
// title.
func (m model) tail(n int) []string {
	lines := []string{m.theme.faint.Render("decisions")}
	ds := m.decisions
	if len(ds) == 0 {
		return append(lines, "none yet")
	}
	for _, d := range ds[max(0, len(ds)-(n-1)):] {
		line := d.At.Local().Format(time.TimeOnly) + " " + Decision(d)
		if d.Kind == haldane.KindRolledBack {
			line = m.theme.bad.Render(line)
		}
		lines = append(lines, line)
	}
	return lines
}

// foot returns the last two lines: what has to be said, and the keys.
func (m model) foot() []string {
	say := m.note
	switch {
	case m.ask != nil:
		label := m.ask.verb
		for _, b := range bindings() {
			if b.verb == m.ask.verb {
				label = b.label
			}
		}
		say = m.theme.strong.Render(label+" "+m.name+", because:") + " " + m.ask.reason + "▏"
	case m.lost != nil:
		say = m.theme.alarm.Render("connection lost "+m.since(m.lostAt)+" ago, trying again:") + " " + m.lost.Error()
	}
	return []string{say, m.keys()}
}

// keys returns the keys that do something now.
func (m model) keys() string {
	if m.ask != nil {
		return m.theme.faint.Render("enter do it   esc leave it")
	}
	var keys []string
	for _, b := range bindings() {
		if m.status != nil && b.fits(m.status.Phase) {
			keys = append(keys, m.theme.strong.Render(b.key)+" "+b.label)
		}
	}
	return strings.Join(append(keys, m.theme.strong.Render("q")+" quit"), "   ")
}
