package rollout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
)

var errDown = errors.New("cannot be reached")

// A mode is how the world's log answers.
type mode int

const (
	works   mode = iota
	down         // accepts nothing, and says so
	forgets      // accepts, but its answer is lost
	hangs        // accepts nothing, and says nothing
)

// A world is everything around a controller: a log, the weights in force, and
// a disk. It outlives controllers, and it watches that the rules are kept.
type world struct {
	dir   string
	specs []Spec

	mu      sync.Mutex
	log     mode
	logged  map[name][]haldane.Decision
	splits  map[string]haldane.Split // by service, as a proxy holds them
	decided []haldane.Decision
	effects int     // how many there were
	dieAt   int     // the effect at which the controller is killed; 0 for never
	dieLate bool    // … after it took place, not before
	dead    func()  // kills the controller
	killed  bool    //
	faults  []error // rules that were broken
}

// newWorld returns a world of one service with one rollout.
func newWorld(t *testing.T, spec Spec) *world {
	return &world{
		dir: t.TempDir(), specs: []Spec{spec},
		logged: make(map[name][]haldane.Decision), splits: make(map[string]haldane.Split),
	}
}

// effect counts an effect and returns an error if the controller is dead by
// then. done is called if it takes place.
func (w *world) effect(done func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.killed {
		return errDown
	}
	w.effects++
	if w.effects == w.dieAt {
		w.killed = true
		w.dead()
		if !w.dieLate {
			return errDown
		}
		_ = done()
		return errDown // nobody hears of it
	}
	return done()
}

// Append is the log's.
func (w *world) Append(ctx context.Context, d haldane.Decision) error {
	w.mu.Lock()
	log := w.log
	w.mu.Unlock()
	switch log {
	case down:
		return errDown
	case hangs:
		<-ctx.Done()
		return ctx.Err()
	case works, forgets:
	}
	return w.effect(func() error {
		n := name{d.Service, d.Rollout}
		there := w.logged[n]
		switch {
		case d.Seq <= uint64(len(there)) && same(there[d.Seq-1], d):
		case d.Seq != uint64(len(there))+1:
			return haldane.ErrConflict
		default:
			w.logged[n] = append(there, d)
		}
		if log == forgets {
			return errDown
		}
		return nil
	})
}

// History is the log's.
func (w *world) History(_ context.Context, service, rollout string) ([]haldane.Decision, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.log == down || w.log == hangs {
		return nil, errDown
	}
	var all []haldane.Decision
	for n, ds := range w.logged {
		if service == "" || n == (name{service, rollout}) {
			all = append(all, ds...)
		}
	}
	return all, nil
}

// weigh is Config.Weights: what a proxy does with a split, and the watch over
// it: whatever gives the canary traffic must have been decided before, and
// durably, in the log.
func (w *world) weigh(_ context.Context, s haldane.Split) error {
	return w.effect(func() error {
		there := w.splits[s.Service]
		if s == there {
			return nil
		}
		if !s.Supersedes(there) {
			return fmt.Errorf("epoch %d: %w", there.Epoch, haldane.ErrConflict)
		}
		w.splits[s.Service] = s
		if s.Weight == 0 {
			return nil
		}
		ds := w.logged[name{s.Service, s.Rollout}]
		if s.Epoch == 0 || s.Epoch > uint64(len(ds)) || ds[s.Epoch-1].Weight != s.Weight {
			w.faults = append(w.faults, fmt.Errorf("weight %v of epoch %d is in force, but not decided", s.Weight, s.Epoch))
		}
		return nil
	})
}

// A mortalDisk is the journal's file in a world: writes to it are effects.
type mortalDisk struct {
	file
	w *world
}

func (d *mortalDisk) Write(b []byte) (n int, err error) {
	err = d.w.effect(func() error { n, err = d.file.Write(b); return err })
	if errors.Is(err, errDown) && d.w.dieLate && len(b) > 40 {
		return n, err
	}
	if errors.Is(err, errDown) {
		_, _ = d.file.Write(b[:len(b)/2]) // the crash tears it
	}
	return n, err
}

func (d *mortalDisk) Truncate(size int64) error {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if d.w.killed {
		return errDown
	}
	return d.file.Truncate(size)
}

// start brings a controller to life, and returns it and how to end it. It
// returns an error if the controller would not start.
func (w *world) start(t *testing.T) (c *Controller, end func(), err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w.mu.Lock()
	w.killed, w.dead = false, cancel
	w.mu.Unlock()
	j, err := OpenJournal(w.dir, slog.New(slog.DiscardHandler))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	j.file = &mortalDisk{j.file, w}
	c, err = NewController(ctx, Config{
		Specs: w.specs, Journal: j, Log: w, Weights: w.weigh,
		Decided: func(d haldane.Decision) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.decided = append(w.decided, d)
		},
	})
	if err != nil {
		cancel()
		return nil, nil, errors.Join(err, j.Close())
	}
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return c, func() {
		cancel()
		if err := errors.Join(<-done, j.Close()); err != nil {
			t.Error(err)
		}
	}, nil
}

// set changes how the log answers.
func (w *world) set(m mode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = m
}

// story returns the kinds of all decisions in the log, generation by
// generation, and notes what rules they break.
func (w *world) story() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s string
	for g := 1; ; g++ {
		zero := NewState(w.specs[0].Service, w.specs[0].Name, g, haldane.Versions{})
		ds := w.logged[name{zero.Service, zero.Rollout}]
		if len(ds) == 0 {
			return s
		}
		for _, d := range ds {
			s += string(d.Kind) + " "
		}
		if _, err := fold(zero, ds); err != nil {
			w.faults = append(w.faults, err)
		}
		if i := slices.IndexFunc(ds, func(d haldane.Decision) bool { return reversal(d.Kind) }); i >= 0 && i < len(ds)-1 {
			w.faults = append(w.faults, fmt.Errorf("%s was followed by %s", ds[i].Kind, ds[i+1].Kind))
		}
	}
}

// check fails the test if a rule was broken.
func (w *world) check(t *testing.T, claim string) {
	t.Helper()
	w.story()
	for _, f := range w.faults {
		t.Errorf("%s: %v", claim, f)
	}
}

// judge tells c every 100 ms what the analyzer says of the split in force,
// until the rollout is settled or the time is over.
func (w *world) judge(c *Controller, verdict func(s haldane.Split) haldane.Judgement, limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		w.mu.Lock()
		s, killed := w.splits[w.specs[0].Service], w.killed
		w.mu.Unlock()
		if killed || s.Phase.Settled() {
			return
		}
		c.Observe(haldane.Verdict{Judgement: verdict(s), Service: s.Service, Rollout: s.Rollout, Epoch: s.Epoch, Step: s.Step,
			Reason: "evidence", Counts: []byte(`{"k":1}`), TraceIDs: []string{"abc"}, Served: s.Weight,
			Canary: haldane.Totals{N: 10, Errors: 1}})
	}
}

// always is an analyzer that has made up its mind.
func always(j haldane.Judgement) func(haldane.Split) haldane.Judgement {
	return func(haldane.Split) haldane.Judgement { return j }
}

// auto is the rollout of most worlds.
func auto() Spec {
	return Spec{Service: "shop", Name: "r", Versions: haldane.Versions{Baseline: "1", Canary: "2"}, Plan: ramp(), Auto: true}
}
