package bus_test

import (
	"context"
	"errors"
	"testing"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events/bus"
)

// split returns the split of a generation and an epoch.
func split(gen int, epoch uint64, w haldane.Weight) haldane.Split {
	s := haldane.Split{Service: "shop", Rollout: "shop-1.5.0", Generation: gen, Epoch: epoch, Weight: w, Phase: haldane.Stepping}
	if gen == 2 {
		s.Rollout = "shop-1.5.0.2"
	}
	return s
}

func TestOnlyALaterSplitReplacesOne(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	for _, c := range []struct {
		claim string
		put   haldane.Split
		want  error
	}{
		{"the first", split(1, 3, 100), nil},
		{"the same again", split(1, 3, 100), nil},
		{"an earlier epoch", split(1, 2, 0), haldane.ErrConflict},
		{"another of the same epoch", split(1, 3, 500), haldane.ErrConflict},
		{"a later epoch", split(1, 4, 500), nil},
		{"a later generation", split(2, 1, 0), nil},
		{"an earlier generation", split(1, 9, 500), haldane.ErrConflict},
	} {
		if err := b.PutSplit(t.Context(), c.put); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.claim, err, c.want)
		}
	}
	if got, want := nextSplit(t, b), split(2, 1, 0); got != want {
		t.Errorf("in force: %+v, want %+v", got, want)
	}
}

func TestOfManySplitsTheLatestStands(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	const writers = 16
	done := make(chan error, writers)
	for i := range writers {
		go func() { done <- b.PutSplit(t.Context(), split(1, uint64(i+1), haldane.Weight(i))) }()
	}
	for range writers {
		if err := <-done; err != nil && !errors.Is(err, haldane.ErrConflict) {
			t.Errorf("got %v, want nil or ErrConflict", err)
		}
	}
	if got := nextSplit(t, b); got.Epoch != writers {
		t.Errorf("epoch %d is in force, want %d", got.Epoch, writers)
	}
}

func TestWatchTellsEveryChangeInOrder(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	const changes = 50
	if err := b.PutSplit(t.Context(), split(1, 1, 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	next := uint64(1)
	err := b.WatchSplits(ctx, func(s haldane.Split) {
		if s.Epoch != next {
			t.Errorf("epoch %d, want %d", s.Epoch, next)
		}
		if next++; next > changes {
			cancel()
			return
		}
		if err := b.PutSplit(t.Context(), split(1, next, haldane.Weight(next))); err != nil {
			t.Error(err)
			cancel()
		}
	})
	if err != nil {
		t.Error(err)
	}
}
