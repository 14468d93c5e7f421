package demo

import (
	"errors"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
)

func TestEveryPromisedSceneIsThere(t *testing.T) {
	for _, name := range []string{"good", "bad", "slow", "zero", "leaky", "quiet", "outage"} {
		s, err := Find(name)
		if err != nil || s.Name != name || s.Story == "" || !(s.Rate > 0) {
			t.Errorf("find %s: got %+v, %v", name, s, err)
		}
	}
	if _, err := Find("worst"); !errors.Is(err, ErrUnknownScene) {
		t.Errorf("find worst: got %v, want %v", err, ErrUnknownScene)
	}
}

func TestCanaryOfAWorseSceneIsWorse(t *testing.T) {
	const n = 20_000
	for _, s := range Scenes() {
		if s.Canary.Refuse {
			continue
		}
		baseline, canary := measure(s.Baseline, n), measure(s.Canary, n)
		worse := canary.failed > 2*baseline.failed+n/1000 || canary.waited > baseline.waited*5/4
		if want := s.Ends == haldane.RolledBack; worse != want {
			t.Errorf("%s: got %+v against %+v, want worse = %v", s.Name, canary, baseline, want)
		}
	}
}

type measured struct {
	failed int
	waited time.Duration
}

func measure(b Behaviour, n uint64) (m measured) {
	for i := range n {
		o := b.Outcome(11, i)
		m.waited += o.Wait
		if o.Status >= 500 {
			m.failed++
		}
	}
	return m
}

func TestEndings(t *testing.T) {
	verdict := func(j haldane.Judgement, needs uint64) *haldane.Verdict {
		return &haldane.Verdict{Judgement: j, Needs: haldane.Needs{Requests: needs}}
	}
	status := func(p haldane.Phase, v *haldane.Verdict) haldane.Status {
		return haldane.Status{Phase: p, Verdict: v}
	}
	started := haldane.Decision{Kind: haldane.KindStarted}
	advanced := haldane.Decision{Kind: haldane.KindWeight, Verdict: verdict(haldane.Pass, 0)}
	rolledBack := haldane.Decision{Kind: haldane.KindRolledBack, Verdict: verdict(haldane.Fail, 0)}
	byHand := haldane.Decision{Kind: haldane.KindRolledBack}
	for _, c := range []struct {
		claim, scene string
		decisions    []haldane.Decision
		now          haldane.Status
		ok           bool
	}{
		{"a bad canary shown worse is out", "bad", []haldane.Decision{started, rolledBack},
			status(haldane.RolledBack, verdict(haldane.Undecided, 0)), true},
		{"a rollback by hand proves nothing", "bad", []haldane.Decision{started, byHand},
			status(haldane.RolledBack, verdict(haldane.Fail, 0)), false},
		{"a bad canary that is completed is a false promotion", "bad", []haldane.Decision{started, advanced},
			status(haldane.Completed, verdict(haldane.Pass, 0)), false},
		{"a good canary rolled back is a false alarm", "good", []haldane.Decision{started, rolledBack},
			status(haldane.RolledBack, verdict(haldane.Fail, 0)), false},
		{"silence is held and says what it needs", "quiet", []haldane.Decision{started},
			status(haldane.Held, verdict(haldane.Undecided, 900)), true},
		{"silence that needs nothing more makes no sense", "quiet", []haldane.Decision{started},
			status(haldane.Held, verdict(haldane.Undecided, 0)), false},
		{"silence must not advance", "quiet", []haldane.Decision{started, advanced},
			status(haldane.Held, verdict(haldane.Undecided, 900)), false},
		{"no verdict is no ending", "quiet", []haldane.Decision{started}, status(haldane.Held, nil), false},
		{"still climbing is no ending", "good", []haldane.Decision{started}, status(haldane.Stepping, nil), false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			s, err := Find(c.scene)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Check(c.decisions, c.now)
			if c.ok && err != nil || !c.ok && !errors.Is(err, ErrEnding) {
				t.Errorf("check: got %v, want ok = %v", err, c.ok)
			}
			if over, want := s.Over(c.now), c.now.Phase != haldane.Stepping; over != want {
				t.Errorf("over: got %v, want %v", over, want)
			}
		})
	}
}
