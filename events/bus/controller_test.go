package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/events/bus"
	"github.com/haldane-canary/haldane/rollout"
)

// control opens bus, journal and controller in dir, as serve does, runs the
// controller while f runs, and closes everything.
func control(t *testing.T, dir string, f func(b *bus.Bus, c *rollout.Controller)) error {
	t.Helper()
	j, err := rollout.OpenJournal(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }() // what was written is synced
	b, err := bus.Open(t.Context(), bus.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer closed(t, b)
	c, err := rollout.NewController(t.Context(), rollout.Config{
		Specs: []rollout.Spec{{
			Service: "shop", Name: "shop-1.5.0", Versions: haldane.Versions{Baseline: "1.4.0", Canary: "1.5.0"},
			Plan: rollout.Plan{Steps: []rollout.Step{{Weight: 100}, {Weight: 500}}},
		}},
		Journal: j, Log: b, Weights: b.PutSplit,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	f(b, c)
	cancel()
	return <-done
}

// do carries out a verb that must work.
func do(t *testing.T, c *rollout.Controller, verb string) {
	t.Helper()
	if _, err := c.Do(t.Context(), "shop-1.5.0", verb, "ops", "because"); err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
}

// settledSplit returns once the split of a settled rollout is in force.
func settledSplit(t *testing.T, b *bus.Bus) (got haldane.Split) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := b.WatchSplits(ctx, func(s haldane.Split) {
		if got = s; s.Phase.Settled() {
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestControllerDecidesOverARealBusAndLearnsFromIt(t *testing.T) {
	dir := t.TempDir()
	if err := control(t, dir, func(b *bus.Bus, c *rollout.Controller) {
		do(t, c, rollout.VerbStart)
		c.Observe(haldane.Verdict{Judgement: haldane.Fail, Service: "shop", Rollout: "shop-1.5.0", Reason: "worse"})
		if s := settledSplit(t, b); s.Weight != 0 || s.Phase != haldane.RolledBack {
			t.Errorf("in force is %+v", s)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := control(t, dir, func(b *bus.Bus, c *rollout.Controller) {
		if s := c.Status()[0]; s.Phase != haldane.RolledBack || s.Reason != "worse" {
			t.Errorf("after a restart it is %+v", s)
		}
		do(t, c, rollout.VerbStart)
		do(t, c, rollout.VerbAbort)
		settledSplit(t, b)
	}); err != nil {
		t.Fatal(err)
	}
	if err := control(t, dir, func(b *bus.Bus, _ *rollout.Controller) {
		want := "shop-1.5.0/1 shop-1.5.0/2 shop-1.5.0.2/1 shop-1.5.0.2/2"
		if got := ids(t, b, ""); got != want {
			t.Errorf("the stream holds %q, want %q", got, want)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// TestAStreamThatKnowsLessThanTheJournalStopsTheStart damages the server's
// files so that it starts all the same; the journal tells.
func TestAStreamThatKnowsLessThanTheJournalStopsTheStart(t *testing.T) {
	for claim, damage := range map[string]func(t *testing.T, dir, msgs string){
		"all removed":    func(t *testing.T, dir, _ string) { remove(t, filepath.Join(dir, "jetstream")) },
		"blocks removed": func(t *testing.T, _, msgs string) { remove(t, msgs) },
		"blocks emptied": func(t *testing.T, _, msgs string) { edit(t, msgs+"/*.blk", func([]byte) []byte { return nil }) },
		"blocks cut": func(t *testing.T, _, msgs string) {
			edit(t, msgs+"/*.blk", func(b []byte) []byte { return b[:len(b)*3/4] })
		},
		"a block byte": func(t *testing.T, _, msgs string) { edit(t, msgs+"/*.blk", flipped(0.1)) },
	} {
		t.Run(claim, func(t *testing.T) {
			dir := t.TempDir()
			if err := control(t, dir, func(b *bus.Bus, c *rollout.Controller) {
				do(t, c, rollout.VerbStart)
				do(t, c, rollout.VerbHold)
				do(t, c, rollout.VerbResume)
			}); err != nil {
				t.Fatal(err)
			}
			msgs := filepath.Join(dir, "jetstream", "$G", "streams", events.Stream, "msgs")
			if _, err := os.Stat(msgs); err != nil {
				t.Fatal(err)
			}
			damage(t, dir, msgs)
			err := control(t, dir, func(*bus.Bus, *rollout.Controller) { t.Error("started") })
			if !errors.Is(err, rollout.ErrDamaged) && !errors.Is(err, bus.ErrDamaged) {
				t.Errorf("got %v, want ErrDamaged", err)
			}
		})
	}
}
