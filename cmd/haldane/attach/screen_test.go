package attach

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api/apitest"
)

var update = flag.Bool("update", false, "write the golden files")

const rollout = "shop-1.5.0"

// send returns m after msgs.
func send(m model, msgs ...tea.Msg) model {
	for _, msg := range msgs {
		next, _ := m.Update(msg)
		m = next.(model)
	}
	return m
}

// running returns a model that has followed a rollout for a while.
func running(t *testing.T) model {
	t.Helper()
	m := newModel(rollout, nil)
	for _, n := range []uint64{1, 2} {
		d := apitest.Decided(rollout, n)
		m = send(m, news{decision: &d})
	}
	begin := apitest.At().Add(-40 * time.Second)
	for i := range 41 {
		st := apitest.Stepping(rollout)
		v := *st.Verdict
		v.Baseline.N -= uint64(40-i) * 400
		v.Baseline.Errors -= uint64(40-i) * 2
		v.Canary.N -= uint64(40-i) * 20
		v.Canary.Errors = uint64(i / 3)
		st.Verdict = &v
		m = send(m, tick(begin.Add(time.Duration(i)*time.Second)), news{status: &st})
	}
	return m
}

// changed returns m after its rollout has come to stand as change says.
func changed(m model, change func(*haldane.Status, *haldane.Verdict)) model {
	st := *m.status
	v := *st.Verdict
	v.Indicators = append([]haldane.Evidence(nil), v.Indicators...)
	st.Verdict = &v
	change(&st, &v)
	return send(m, news{status: &st})
}

func press(keys ...string) []tea.Msg {
	var msgs []tea.Msg
	for _, k := range keys {
		switch k {
		case "enter":
			msgs = append(msgs, tea.KeyPressMsg{Code: tea.KeyEnter})
		case "esc":
			msgs = append(msgs, tea.KeyPressMsg{Code: tea.KeyEscape})
		case "backspace":
			msgs = append(msgs, tea.KeyPressMsg{Code: tea.KeyBackspace})
		default:
			msgs = append(msgs, tea.KeyPressMsg{Code: []rune(k)[0], Text: k})
		}
	}
	return msgs
}

func TestTheScreenLooksAsItShould(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	nan := haldane.Number(math.NaN())
	for _, tt := range []struct {
		name  string
		model func() model
	}{
		{"waiting", func() model { return newModel(rollout, nil) }},
		{"pending", func() model {
			st := apitest.Stepping(rollout)
			st.Phase, st.Step, st.Weight, st.Served, st.Verdict, st.Reason = haldane.Pending, 0, 0, 0, nil, ""
			st.Started, st.Since = time.Time{}, time.Time{}
			return send(newModel(rollout, nil), tick(apitest.At()), news{status: &st})
		}},
		{"stepping", func() model { return running(t) }},
		{"asking", func() model { return send(running(t), press("r", "p", "9", "9", " ", "ü", "p")...) }},
		{"held_and_lost", func() model {
			m := changed(running(t), func(st *haldane.Status, v *haldane.Verdict) {
				st.Phase = haldane.Held
				v.Warnings = []string{"the canary got 4.10 % instead of 5 % of route /pay"}
			})
			return send(m, news{lost: errors.New("connection refused")}, tick(apitest.At().Add(7*time.Second)))
		}},
		{"rolledback", func() model {
			d := apitest.Decided(rollout, 3)
			d.Kind, d.Reason = haldane.KindRolledBack, "errors: canary 1.9 % against baseline 0.5 %, beyond ratio 1.1 and 0.1 % more"
			d.From, d.To, d.Weight, d.At = d.To, haldane.Position{Phase: haldane.RolledBack, Step: 2}, 0, apitest.At()
			return send(changed(running(t), func(st *haldane.Status, v *haldane.Verdict) {
				st.Phase, st.Weight, st.Reason, st.Since = haldane.RolledBack, 0, d.Reason, d.At
				v.Judgement = haldane.Fail
				e := &v.Indicators[0]
				e.Judgement, e.LogE, e.LogEPromote = haldane.Fail, 5.1, -9
				e.Estimate = haldane.Estimate{Baseline: 0.005, Canary: 0.019, Ratio: 3.8, Difference: 0.014}
				e.Interval = haldane.Interval{Lower: 1.9, Upper: 6.4}
			}), news{decision: &d})
		}},
		{"nothing_known", func() model {
			return changed(running(t), func(_ *haldane.Status, v *haldane.Verdict) {
				v.Baseline, v.Canary = haldane.Totals{N: 30}, haldane.Totals{}
				for i := range v.Indicators {
					e := &v.Indicators[i]
					e.Judgement, e.LogE, e.LogEPromote = haldane.Undecided, 0, 0
					e.Estimate = haldane.Estimate{Baseline: 0, Canary: nan, Ratio: nan, Difference: nan}
					e.Interval = haldane.Interval{Lower: nan, Upper: nan}
				}
			})
		}},
		{"wide", func() model { return send(running(t), tea.WindowSizeMsg{Width: 120, Height: 30}) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.model()
			got := ansi.Strip(m.draw())
			lines := strings.Split(got, "\n")
			if len(lines) != m.height {
				t.Errorf("%d lines on a screen of %d", len(lines), m.height)
			}
			for _, l := range lines {
				if w := ansi.StringWidth(l); w > m.width {
					t.Errorf("a line of %d cells on a screen of %d: %q", w, m.width, l)
				}
			}
			golden(t, tt.name+".golden", got+"\n")
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update once)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestKeysDoWhatTheySay(t *testing.T) {
	for _, tt := range []struct {
		claim string
		phase haldane.Phase
		keys  []string
		want  string // verb and reason, if anything is to be done
		note  string
	}{
		{"h holds at once", haldane.Stepping, []string{"h"}, "hold: by hand, from the screen", "hold …"},
		{"u resumes at once", haldane.Held, []string{"u"}, "resume: by hand, from the screen", "resume …"},
		{"r asks why first", haldane.Stepping, []string{"r", "b", "a", "d", "enter"}, "rollback: bad", "rollback …"},
		{"a reason can be mended", haldane.Watching, []string{"r", "x", "é", "backspace", "enter"}, "rollback: x", "rollback …"},
		{"a reason may be left out", haldane.Stepping, []string{"p", "enter"}, "promote: by hand, from the screen", "promote …"},
		{"esc leaves it", haldane.Stepping, []string{"a", "x", "esc"}, "", "abort: not done"},
		{"keys of verbs are letters of a reason", haldane.Stepping, []string{"r", "h", "q", "enter"}, "rollback: hq", "rollback …"},
		{"what does not fit the phase is not done", haldane.Watching, []string{"h"}, "", "hold is not possible now: shop-1.5.0 is watching"},
		{"what has settled can be started again", haldane.RolledBack, []string{"s", "enter"}, "start: by hand, from the screen", "start …"},
		{"other keys do nothing", haldane.Stepping, []string{"x", "7"}, "", ""},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			did := ""
			m := newModel(rollout, func(verb, reason string) tea.Cmd {
				did = verb + ": " + reason
				return nil
			})
			st := apitest.Stepping(rollout)
			st.Phase = tt.phase
			m = send(m, news{status: &st})
			m = send(m, press(tt.keys...)...)
			if did != tt.want || m.note != tt.note {
				t.Errorf("did %q saying %q, want %q saying %q", did, m.note, tt.want, tt.note)
			}
		})
	}
}

func TestTheScreenSaysWhatCameOfACommand(t *testing.T) {
	m := send(running(t), done{verb: "hold", err: errors.New("no token")})
	if !strings.Contains(m.draw(), "hold failed: no token") {
		t.Errorf("no failure on the screen:\n%s", m.draw())
	}
	if m = send(m, done{verb: "hold"}); !strings.Contains(m.draw(), "hold: done") {
		t.Errorf("no success on the screen:\n%s", m.draw())
	}
}

func TestNoScreenIsTooSmall(t *testing.T) {
	for width := range 100 {
		for _, height := range []int{1, 2, 5, 12, 24, 60} {
			m := send(running(t), tea.WindowSizeMsg{Width: width, Height: height})
			if lines := strings.Count(m.draw(), "\n") + 1; lines > max(height, 2) {
				t.Fatalf("%d lines on a screen of %dx%d", lines, width, height)
			}
		}
	}
}

func TestDrawing(t *testing.T) {
	nan := haldane.Number(math.NaN())
	in := func(lower, upper haldane.Number) haldane.Interval {
		return haldane.Interval{Lower: lower, Upper: upper}
	}
	a := axis{span: 4, width: 21}
	for _, tt := range []struct{ claim, got, want string }{
		{"an empty bar", bar(-3, 4.6, 8), "░░░░░░░░"},
		{"half a bar", bar(2.3, 4.6, 8), "████░░░░"},
		{"a bar beyond its limit", bar(99, 4.6, 8), "████████"},
		{"a bar of what is not known", bar(math.NaN(), 4.6, 8), "░░░░░░░░"},
		{"a sparkline ends now", spark([]haldane.Number{0, 1, 2, 3, 4}, 4, 6), " ▁▃▅▇█"},
		{"a sparkline of nothing", spark(nil, 0, 3), "   "},
		{"a sparkline of zeros", spark([]haldane.Number{0, nan, 0}, 0, 3), "▁ ▁"},
		{"a sparkline forgets", spark([]haldane.Number{4, 0, 0}, 4, 2), "▁▁"},
		{"an interval around one", a.interval(1, in(0.5, 2), 1.1), "·····├────●┃───┤·····"},
		{"the guard is to the left", a.interval(2.5, in(2, 3.5), 1.1), "··········┊┃···├─●─┤·"},
		{"an upper bound that is not known", a.interval(1, in(0.5, nan), 1.1), "·····├────●┃─────────"},
		{"bounds beyond the axis", a.interval(1, in(0, 99), 1.1), "──────────●┃─────────"},
		{"nothing known but the guard", a.interval(nan, in(nan, nan), 1.1), "··········┊┃·········"},
		{"an axis as narrow as can be", fmt.Sprint(newAxis(9, 0.9, 1.1, nan).span), "1.25"},
		{"an axis for what is far", fmt.Sprint(newAxis(9, 0.01).span), "10"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.claim, tt.got, tt.want)
		}
	}
}
