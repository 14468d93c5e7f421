package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/cmd/haldane/attach"
	"github.com/haldane-canary/haldane/config"
	"github.com/haldane-canary/haldane/demo"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/telemetry"
)

// demoFlags are the flags of demo as given.
type demoFlags struct {
	scene          string
	headless, json bool
	duration       time.Duration
	seed           uint64
	otlp           string // where traces go; "" = nowhere
}

// demoCommand shows the whole system in one process.
func demoCommand() *cobra.Command {
	var f demoFlags
	var scenes strings.Builder
	for _, s := range demo.Scenes() {
		fmt.Fprintf(&scenes, "  %-7s %s\n", s.Name, s.Story)
	}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "show the whole system in one process: two versions, traffic, and a rollout",
		Long: `Demo starts two versions of a shop, people who use it, and Haldane between them,
all on free loopback ports, and says where to look. What happens is what would
happen in earnest: nothing is simulated but the shop.

Scenes:
` + scenes.String() + `
With --headless it ends when the rollout has come to rest, with exit code 0 if
the scene ended as it should and 1 if not.`,
		Example: `  haldane demo
  haldane demo --scene good
  haldane demo --scene outage --headless --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.scene, "scene", demo.Scenes()[0].Name, "what the new version is like (see above)")
	flags.BoolVar(&f.headless, "headless", false, "end when the rollout has come to rest, and say whether it did so as it should")
	flags.BoolVar(&f.json, "json", false, "print the decisions as CloudEvents, one a line")
	flags.DurationVar(&f.duration, "duration", 0, "end after this long at the latest (default: --headless 5m, otherwise never)")
	flags.Uint64Var(&f.seed, "seed", 2, "of the shop and its people")
	flags.StringVar(&f.otlp, "otlp", "", "send traces to this OTLP/HTTP receiver, such as http://127.0.0.1:4318")
	return cmd
}

// errNotOver is returned, wrapped, when the time for a scene has run out.
var errNotOver = errors.New("the rollout has not come to rest")

// run plays a scene.
func (f *demoFlags) run(ctx context.Context, out, notices io.Writer) (err error) {
	scene, err := demo.Find(f.scene)
	if err != nil {
		return usageError(fmt.Errorf("demo: %w", err))
	}
	if f.duration < 0 {
		return usageError(fmt.Errorf("demo: --duration %v: give more than 0", f.duration))
	}
	if f.headless && f.duration == 0 {
		f.duration = 5 * time.Minute
	}
	dir, err := os.MkdirTemp("", "haldane-demo-")
	if err != nil {
		return fmt.Errorf("make a data folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	stage, err := f.set(ctx, scene, dir, notices)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return stage.play(ctx, f, out, notices)
}

// A stage is a scene with everything that it needs.
type stage struct {
	scene            demo.Scene
	baseline, canary *demo.Upstream
	server           *server
	traffic          *demo.Traffic
	client           *api.Client
	dir              string
}

// set opens everything; nothing runs yet.
func (f *demoFlags) set(ctx context.Context, scene demo.Scene, dir string, notices io.Writer) (*stage, error) {
	baseline, err := demo.Listen(demo.BaselineVersion, scene.Baseline, 2*f.seed)
	if err != nil {
		return nil, err
	}
	canary, err := demo.Listen(demo.CanaryVersion, scene.Canary, 2*f.seed+1)
	if err != nil {
		return nil, err
	}
	const anywhere = "127.0.0.1:0"
	text, err := scene.Config(demo.Places{
		Proxy: anywhere, Admin: anywhere, Bus: anywhere, Dir: dir, Baseline: baseline.URL(), Canary: canary.URL(),
		OTLP: f.otlp,
	})
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse("haldane.yaml", text)
	if err != nil {
		return nil, usageError(err) // nothing in it but --otlp is the user's
	}
	s, err := newServer(ctx, cfg, options{
		Roles: allRoles(), Log: telemetry.NewLogger(notices, slog.LevelWarn), Notices: notices,
	})
	if err != nil {
		return nil, err
	}
	client, err := api.NewClient(s.AdminURL(), api.ReadToken(dir))
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &stage{
		scene: scene, baseline: baseline, canary: canary, server: s, client: client, dir: dir,
		traffic: &demo.Traffic{Target: s.ProxyURL(), Rate: scene.Rate, Seed: f.seed},
	}, nil
}

// play runs everything until the scene is over, somebody ends it, or its time
// has run out.
func (st *stage) play(ctx context.Context, f *demoFlags, out, notices io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if f.duration > 0 {
		ctx, stop = context.WithTimeout(ctx, f.duration)
		defer stop()
	}
	g, running := errgroup.WithContext(ctx)
	for _, run := range []func(context.Context) error{st.baseline.Run, st.canary.Run, st.server.Run} {
		g.Go(func() error { return run(running) })
	}
	g.Go(func() error { return st.watch(running, stop, f, out, notices) })
	err := g.Wait()
	if err == nil && f.headless && ctx.Err() == context.DeadlineExceeded {
		return fmt.Errorf("scene %s after %v: %w", st.scene.Name, f.duration, errNotOver)
	}
	return err
}

// watch starts the traffic once the shop is open, and tells what happens. A
// headless scene it ends, and looks whether it ended as it should.
func (st *stage) watch(ctx context.Context, stop func(), f *demoFlags, out, notices io.Writer) error {
	select {
	case <-st.server.Tried():
	case <-ctx.Done():
		return nil
	}
	st.welcome(notices, f.headless)
	var g errgroup.Group
	g.Go(func() error { return st.traffic.Run(ctx) })
	if !f.headless {
		g.Go(func() error { return st.tell(ctx, f.json, out) })
		return g.Wait()
	}
	told := make(chan uint64, 64)
	g.Go(func() error { return st.events(ctx, f.json, out, told) })
	end, over := st.await(ctx)
	var failure error
	if over {
		failure = st.check(ctx, end, told, notices)
	}
	stop()
	return errors.Join(failure, g.Wait())
}

// await returns where the rollout stands when the scene is over; false if ctx
// ended before.
func (st *stage) await(ctx context.Context) (haldane.Status, bool) {
	for {
		changed := st.server.controller.Changed()
		if now, err := st.server.controller.Get(demo.Rollout); err == nil && st.scene.Over(now) {
			return now, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return haldane.Status{}, false
		}
	}
}

// check looks whether the scene ended as it should, by the record, once all of
// that was told.
func (st *stage) check(ctx context.Context, end haldane.Status, told <-chan uint64, notices io.Writer) error {
	ds, err := st.record(ctx, end)
	if err != nil {
		return fmt.Errorf("read the record: %w", err)
	}
	for last := ds[len(ds)-1].Seq; ; {
		select {
		case seq := <-told:
			if seq < last {
				continue
			}
		case <-ctx.Done():
			return fmt.Errorf("tell the decisions: %w", ctx.Err())
		}
		break
	}
	if err := st.scene.Check(ds, end); err != nil {
		return err
	}
	seen := st.traffic.Seen()
	fmt.Fprintf(notices, "scene %s ended as it should: %s after %d decisions; people saw %d answers, %d failures, %d broken\n",
		st.scene.Name, end.Phase, len(ds), seen.Answered, seen.Failed, seen.Broken)
	return nil
}

// record returns the decisions of the rollout, as soon as the one that brought
// it to where it stands is among them: a rollback is in force before it is in
// the stream.
func (st *stage) record(ctx context.Context, end haldane.Status) ([]haldane.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		ds, err := st.client.Account(ctx, demo.Rollout)
		if err == nil && len(ds) > 0 && ds[len(ds)-1].To.Phase == end.Phase {
			return ds, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(err, fmt.Errorf("the decision for %s: %w", end.Phase, ctx.Err()))
		}
	}
}

// tell writes what happens to out, until ctx ends: the decisions as
// CloudEvents, or lines to read, the verdicts between them.
func (st *stage) tell(ctx context.Context, asJSON bool, out io.Writer) error {
	if asJSON {
		return st.events(ctx, true, out, nil)
	}
	if err := attach.Plain(ctx, st.client, demo.Rollout, out); ctx.Err() == nil {
		return err
	}
	return nil
}

// events writes the decisions to out as they come, until ctx ends, and sends
// the number of each to told once it is written.
func (st *stage) events(ctx context.Context, asJSON bool, out io.Writer, told chan<- uint64) error {
	err := st.client.Events(ctx, api.Filter{Follow: true}, func(event []byte) error {
		d, err := events.Decode(event)
		if err != nil {
			return err
		}
		if err := printEvent(out, event, asJSON); err != nil || told == nil {
			return err
		}
		select {
		case told <- d.Seq:
		case <-ctx.Done():
		}
		return nil
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// welcome says what is to be seen, and where.
func (st *stage) welcome(w io.Writer, headless bool) {
	fmt.Fprintf(w, "scene %s: %s\n", st.scene.Name, st.scene.Story)
	if headless {
		return
	}
	s := st.server
	fmt.Fprintf(w, `
  shop      %s   %.0f requests a second go through here already
  admin     %s   /metrics is for Prometheus

in another terminal:
  haldane attach --server %s --dir %s
  haldane account show %s --server %s
  nats --server %s sub 'haldane.v1.*.*.rolledback'

Ctrl-C ends it; nothing is left behind.

`, s.ProxyURL(), st.scene.Rate, s.AdminURL(), s.AdminURL(), st.dir, demo.Rollout, s.AdminURL(), s.BusURL())
}
