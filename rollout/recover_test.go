package rollout

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haldane-canary/haldane"
)

func TestReconcile(t *testing.T) {
	ds := life("r") // started, weight, rolledback
	zero := NewState("shop", "r", 1, haldane.Versions{})
	after := func(n int) State {
		s, err := fold(zero, ds[:n])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	promoted := decide(after(2), ramp().full(after(2), "theirs", nil), "other", noon)
	aborted := promoted
	aborted.Kind, aborted.To, aborted.Weight = haldane.KindAborted, haldane.Position{Phase: haldane.Aborted, Step: 2}, 0
	moved, err := after(2).Apply(promoted)
	if err != nil {
		t.Fatal(err)
	}
	completed := decide(moved, Move{Kind: haldane.KindCompleted, To: at(moved, haldane.Completed)}, "other", noon)
	done, err := moved.Apply(completed)
	if err != nil {
		t.Fatal(err)
	}
	type list = []haldane.Decision
	for _, c := range []struct {
		claim   string
		mine    history
		logged  list
		want    list
		told    int
		changed int
		err     error
	}{
		{"nothing at all", history{}, nil, nil, 0, 0, nil},
		{"the same", history{ds, 3}, ds, ds, 3, 3, nil},
		{"the log knows more", history{ds[:1], 1}, ds, ds, 3, 1, nil},
		{"an empty journal", history{}, ds, ds, 3, 0, nil},
		{"a rollback that the log lacks", history{ds, 2}, ds[:2], ds, 2, 3, nil},
		{"a rollback whose acceptance was not heard of", history{ds, 2}, ds, ds, 3, 3, nil},
		{"a rollback against an advance", history{ds, 2}, list{ds[0], ds[1], promoted},
			list{ds[0], ds[1], promoted, renumbered(ds[2], moved)}, 3, 2, nil},
		{"a rollback against a completion", history{ds, 2}, list{ds[0], ds[1], promoted, completed},
			list{ds[0], ds[1], promoted, completed, renumbered(ds[2], done)}, 4, 2, nil},
		{"a rollback against an abort", history{ds, 2}, list{ds[0], ds[1], aborted}, list{ds[0], ds[1], aborted}, 3, 2, nil},
		{"the log lost its end", history{ds, 3}, ds[:2], nil, 0, 0, ErrDamaged},
		{"the log lost everything", history{ds, 1}, nil, nil, 0, 0, ErrDamaged},
		{"the log changed its mind", history{ds, 3}, list{ds[0], ds[1], aborted}, nil, 0, 0, ErrDamaged},
		{"the log makes no sense", history{}, ds[1:], nil, 0, 0, ErrDamaged},
	} {
		got, changed, err := reconcile(zero, c.mine, c.logged)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", c.claim, err, c.err)
		}
		if err != nil {
			continue
		}
		if len(got.decisions) != len(c.want) || got.accepted != c.told || changed != c.changed {
			t.Errorf("%s: %s from %d on, want %d decisions, %d accepted, from %d on", c.claim, &got, changed, len(c.want), c.told, c.changed)
			continue
		}
		for i := range c.want {
			if !same(got.decisions[i], c.want[i]) {
				t.Errorf("%s: decision %d is %+v, want %+v", c.claim, i+1, got.decisions[i], c.want[i])
			}
		}
		if _, err := fold(zero, got.decisions); err != nil {
			t.Errorf("%s: %v", c.claim, err)
		}
	}
}

// TestALogThatLostDecisionsStopsTheStart empties the log, wholly or in part,
// behind the controller's back.
func TestALogThatLostDecisionsStopsTheStart(t *testing.T) {
	for claim, damage := range map[string]func(w *world){
		"emptied":  func(w *world) { clear(w.logged) },
		"cut":      func(w *world) { n := name{"shop", "r"}; w.logged[n] = w.logged[n][:2] },
		"replaced": func(w *world) { w.logged[name{"shop", "r"}][1].Reason = "another" },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, auto())
			w.live(t, claim, always(haldane.Pass))
			damage(w)
			if _, _, err := w.start(t); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: got %v, want ErrDamaged", claim, err)
			}
			// Also if nobody is interested in that rollout any more.
			w.specs[0].Name = "q"
			if _, _, err := w.start(t); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s, another rollout: got %v, want ErrDamaged", claim, err)
			}
		})
	}
}

func TestALogThatLosesDecisionsWhileRunningStopsAdvancing(t *testing.T) {
	live(t, auto(), func(t *testing.T, w *world, c *Controller) {
		synctest.Wait()
		w.mu.Lock()
		clear(w.logged)
		w.mu.Unlock()
		w.judge(c, always(haldane.Pass), time.Minute)
		inForce(t, w, 100)
		c.Observe(haldane.Verdict{Judgement: haldane.Fail, Rollout: "r"})
		inForce(t, w, 0)
		w.mu.Lock()
		w.logged[name{"shop", "r"}] = w.decided[:1]
		w.mu.Unlock()
	})
}

func TestALogThatCannotBeReadIsWorthAnotherTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, auto())
		w.set(down)
		if _, _, err := w.start(t); !errors.Is(err, errDown) || errors.Is(err, ErrDamaged) {
			t.Errorf("got %v, want the log's error", err)
		}
		w.set(works)
		w.live(t, "now", always(haldane.Fail))
		w.specs[0].Plan.Steps = nil
		if _, _, err := w.start(t); !errors.Is(err, ErrSpec) {
			t.Errorf("got %v, want ErrSpec", err)
		}
	})
}

// TestANewControllerLearnsFromTheLog gives it an empty folder of its own.
func TestANewControllerLearnsFromTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, auto())
		w.logged[name{"till", "other"}] = []haldane.Decision{{Seq: 7, Service: "till", Rollout: "other"}} // no business of ours
		c, end, err := w.start(t)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(t.Context(), "r", VerbPromote, "ops", ""); err != nil {
			t.Error(err)
		}
		end()
		w.dir = t.TempDir()
		c, end, err = w.start(t)
		if err != nil {
			t.Fatal(err)
		}
		if s := c.Status()[0]; s.Phase != haldane.Watching {
			t.Errorf("status %+v, want it to be watching", s)
		}
		end()
		delete(w.logged, name{"till", "other"})
		if err := w.agree(); err != nil {
			t.Error(err)
		}
	})
}

func TestARefusedWeightIsLookedInto(t *testing.T) {
	live(t, auto(), func(t *testing.T, w *world, c *Controller) {
		synctest.Wait()
		// Another controller has rolled back, and its weight came before its decision.
		w.mu.Lock()
		w.splits["shop"] = haldane.Split{Service: "shop", Rollout: "r", Generation: 1, Epoch: 2, Phase: haldane.RolledBack}
		n := name{"shop", "r"}
		s, err := fold(NewState("shop", "r", 1, haldane.Versions{}), w.logged[n])
		if err != nil {
			t.Fatal(err)
		}
		w.logged[n] = append(w.logged[n], decide(s, ramp().back(s, "theirs", nil), "other", time.Now()))
		w.mu.Unlock()
		c.runs[0].push.set(s.Split())
		time.Sleep(time.Second)
		inForce(t, w, 0)
		if got := c.Status()[0]; got.Phase != haldane.RolledBack {
			t.Errorf("status %+v, want it rolled back", got)
		}
	})
}
