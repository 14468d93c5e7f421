package rollout

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane"
)

// agree fails the test unless journal, log and the weight in force tell the
// same of every generation, now that all is quiet and the controller is gone.
func (w *world) agree() error {
	j, err := OpenJournal(w.dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }() // it was only read
	var last State
	for n, ds := range w.logged {
		h := j.kept[n]
		if h == nil || len(h.decisions) != len(ds) || h.accepted != len(ds) {
			return fmt.Errorf("%v: the log has %d decisions, the journal %s", n, len(ds), h)
		}
		for i, d := range ds {
			if !same(d, h.decisions[i]) {
				return fmt.Errorf("%v: journal and log differ at %d", n, i+1)
			}
		}
		g, _ := Generation("r", n.rollout)
		s, err := fold(NewState("shop", "r", g, haldane.Versions{}), ds)
		if err != nil {
			return err
		}
		if g > last.Generation {
			last = s
		}
	}
	got, want := w.splits["shop"], last.Split()
	if len(w.logged) > 0 && (got.Epoch != want.Epoch || got.Weight != want.Weight || got.Rollout != want.Rollout) {
		return fmt.Errorf("in force is %+v, decided was %+v", got, want)
	}
	return nil
}

// String tells h in a few words.
func (h *history) String() string {
	if h == nil {
		return "none"
	}
	var kinds []haldane.Kind
	for _, d := range h.decisions {
		kinds = append(kinds, d.Kind)
	}
	return fmt.Sprintf("%v, %d of them accepted", kinds, h.accepted)
}

// TestKilledAtEveryEffect kills the controller at every single effect of a
// whole rollout, before it takes place (a write to the journal is torn then)
// and after it but before anybody hears of it, and lets the next controller
// finish. The rollout ends as if nothing had been.
func TestKilledAtEveryEffect(t *testing.T) {
	failsAt := func(step int) func(haldane.Split) haldane.Judgement {
		return func(s haldane.Split) haldane.Judgement {
			if s.Step >= step {
				return haldane.Fail
			}
			return haldane.Pass
		}
	}
	for claim, c := range map[string]struct {
		verdict func(haldane.Split) haldane.Judgement
		want    string
	}{
		"good": {always(haldane.Pass), "started weight weight promoted completed "},
		"bad":  {failsAt(2), "started weight rolledback "},
		"dead": {always(haldane.Fail), "started rolledback "},
	} {
		for _, late := range []bool{false, true} {
			for dieAt, died := 1, true; died; dieAt++ {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, auto())
					w.dieAt, w.dieLate = dieAt, late
					claim := fmt.Sprintf("%s, killed at effect %d (late: %v)", claim, dieAt, late)
					died = w.live(t, claim, c.verdict)
					if died {
						w.live(t, claim, c.verdict)
					}
					if got := w.story(); got != c.want {
						t.Errorf("%s: the log tells %q, want %q", claim, got, c.want)
					}
					if err := w.agree(); err != nil {
						t.Errorf("%s: %v", claim, err)
					}
					w.check(t, claim)
				})
			}
		}
	}
}

// live runs one controller until the rollout is settled or the controller is
// killed, and reports the latter.
func (w *world) live(t *testing.T, claim string, verdict func(haldane.Split) haldane.Judgement) (died bool) {
	c, end, err := w.start(t)
	if err != nil {
		t.Fatalf("%s: %v", claim, err)
	}
	w.judge(c, verdict, 2*time.Hour)
	time.Sleep(time.Minute) // for what is left to be told
	synctest.Wait()
	end()
	return w.killed
}

// An act is something that happens to a controller in a random schedule.
type act struct {
	what string
	n    int
}

// acts are what can happen, and how often.
func drawActs(t *rapid.T) []act {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{
			rapid.SampledFrom([]string{"pass", "pass", "pass", "undecided", "fail", "wait", "wait", "works", "works", "down", "forgets",
				"hangs", VerbStart, VerbHold, VerbResume, VerbPromote, VerbRollBack, VerbAbort, "kill", "crash", "late crash"}).Draw(t, "what"),
			rapid.IntRange(1, 40).Draw(t, "n"),
		}
	}), 1, 40).Draw(t, "acts")
}

// A schedule carries acts out, one after the other.
type schedule struct {
	*world
	t   *testing.T
	c   *Controller
	end func()
}

// play carries a out.
func (s *schedule) play(a act) error {
	switch a.what {
	case "pass", "undecided", "fail":
		var j haldane.Judgement
		if err := j.UnmarshalText([]byte(a.what)); err != nil {
			return err
		}
		s.judge(s.c, always(j), time.Duration(a.n)*100*time.Millisecond)
	case "wait":
		time.Sleep(time.Duration(a.n*a.n) * time.Second)
	case "works", "down", "forgets", "hangs":
		s.set(map[string]mode{"works": works, "down": down, "forgets": forgets, "hangs": hangs}[a.what])
	case "kill":
		s.end()
		return s.revive()
	case "crash", "late crash":
		s.mu.Lock()
		s.dieAt, s.dieLate = s.effects+a.n%5+1, a.what == "late crash"
		s.mu.Unlock()
	default:
		go func() { _, _ = s.c.Do(s.t.Context(), "r", a.what, "ops", "because") }() // any answer will do
		time.Sleep(time.Duration(a.n) * time.Millisecond)
	}
	synctest.Wait()
	s.mu.Lock()
	killed := s.killed
	s.mu.Unlock()
	if killed {
		s.end()
		return s.revive()
	}
	return nil
}

// revive starts the next controller; if that is killed while it recovers, or
// cannot read the log, another one after it.
func (s *schedule) revive() (err error) {
	if s.c, s.end, err = s.start(s.t); errors.Is(err, errDown) {
		s.mu.Lock()
		s.log, s.dieAt = works, 0
		s.mu.Unlock()
		s.c, s.end, err = s.start(s.t)
	}
	return err
}

// TestRandomSchedules lets anything happen in any order, and holds that no
// rule is broken on the way, and that afterwards, once the log works again and
// nobody is killed any more, journal, log and weight agree, and a fail still
// ends what runs.
func TestRandomSchedules(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		acts := drawActs(rt)
		var err error
		synctest.Test(t, func(t *testing.T) { err = random(t, acts) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// random carries acts out and returns what is wrong afterwards.
func random(t *testing.T, acts []act) error {
	spec := auto()
	spec.Auto = len(acts)%2 == 0
	s := &schedule{world: newWorld(t, spec), t: t}
	if err := s.revive(); err != nil {
		return err
	}
	for i, a := range acts {
		if err := s.play(a); err != nil {
			return fmt.Errorf("act %d, %+v: %w", i, a, err)
		}
		s.story()
	}
	s.mu.Lock()
	s.log, s.dieAt = works, 0
	s.mu.Unlock()
	time.Sleep(time.Minute)
	s.judge(s.c, always(haldane.Fail), time.Minute)
	time.Sleep(time.Minute)
	synctest.Wait()
	status := s.c.Status()[0]
	s.end()
	if status.Phase.Running() {
		return fmt.Errorf("a fail left it %s", status.Phase)
	}
	s.story()
	return errors.Join(s.agree(), errors.Join(s.faults...))
}
