package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/events/bus"
)

// open returns a bus that is closed with the test.
func open(t *testing.T, cfg bus.Config) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Open(%+v): %v", cfg, err)
	}
	t.Cleanup(func() { closed(t, b) })
	return b
}

// closed closes b; twice is fine.
func closed(t *testing.T, b *bus.Bus) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// local returns the configuration of a server in dir on a port of its choice.
func local(dir string) bus.Config {
	return bus.Config{Dir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}
}

// decision returns the nth decision of a rollout that climbs.
func decision(rollout string, n uint64) haldane.Decision {
	d := haldane.Decision{
		Seq: n, Service: "shop", Rollout: rollout, Kind: haldane.KindWeight, Actor: haldane.ControllerActor,
		From: haldane.Position{Phase: haldane.Stepping, Step: int(n) - 1, Weight: haldane.Weight(n-1) * 100},
		To:   haldane.Position{Phase: haldane.Stepping, Step: int(n), Weight: haldane.Weight(n) * 100},
		At:   time.Date(2026, 11, 22, 17, 0, int(n), 5, time.UTC), Weight: haldane.Weight(n) * 100,
	}
	if n == 1 {
		d.Kind, d.From.Phase = haldane.KindStarted, haldane.Pending
	}
	return d
}

// appended appends what must be accepted.
func appended(t *testing.T, b *bus.Bus, ds ...haldane.Decision) {
	t.Helper()
	for _, d := range ds {
		if err := b.Append(t.Context(), d); err != nil {
			t.Fatalf("Append(%s): %v", events.ID(d), err)
		}
	}
}

// ids returns the ids of all stored decisions that filter wants.
func ids(t *testing.T, b *bus.Bus, filter string) string {
	t.Helper()
	ds, err := b.Decisions(t.Context(), filter, time.Time{})
	if err != nil {
		t.Fatalf("Decisions(%q): %v", filter, err)
	}
	var all []string
	for _, d := range ds {
		all = append(all, events.ID(d))
	}
	return strings.Join(all, " ")
}

func TestPlainClientIsToldOfRollbacksOnly(t *testing.T) {
	b := open(t, local(t.TempDir()))
	nc, err := nats.Connect(b.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("haldane.v1.*.*.rolledback")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	back := decision("shop-1.5.0", 2)
	back.Kind, back.To, back.Weight = haldane.KindRolledBack, haldane.Position{Phase: haldane.RolledBack, Step: 1}, 0
	appended(t, b, decision("shop-1.5.0", 1), back)

	m, err := sub.NextMsgWithContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "haldane.v1.shop.shop-1%2E5%2E0.rolledback"; m.Subject != want {
		t.Errorf("subject %s, want %s", m.Subject, want)
	}
	if got := m.Header.Get(nats.MsgIdHdr); got != "shop-1.5.0/2" {
		t.Errorf("Nats-Msg-Id %q, want the event's id", got)
	}
	if got := m.Header.Get("Content-Type"); got != events.ContentType {
		t.Errorf("Content-Type %q, want %q", got, events.ContentType)
	}
	d, err := events.Decode(m.Data)
	if err != nil || !events.Same(d, back) {
		t.Errorf("got %+v, %v; want %+v", d, err, back)
	}
}

func TestAppendKeepsOneDecisionUnderANumber(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	one, two, three := decision("r", 1), decision("r", 2), decision("r", 3)
	appended(t, b, one, two)

	other := two
	other.Actor, other.Kind = "ops", haldane.KindHeld
	for claim, d := range map[string]haldane.Decision{
		"another kind":         other,
		"the same, other time": func() haldane.Decision { d := two; d.At = d.At.Add(1); return d }(),
		"an earlier number":    func() haldane.Decision { d := one; d.Actor = "ops"; return d }(),
	} {
		if err := b.Append(t.Context(), d); !errors.Is(err, haldane.ErrConflict) {
			t.Errorf("%s: got %v, want ErrConflict", claim, err)
		}
	}
	appended(t, b, one, two, one) // again, and late
	if err := b.Append(t.Context(), decision("r", 4)); !errors.Is(err, bus.ErrDamaged) {
		t.Errorf("a gap: got %v, want ErrDamaged", err)
	}
	if err := b.Append(t.Context(), haldane.Decision{}); !errors.Is(err, events.ErrEvent) {
		t.Errorf("no decision: got %v, want ErrEvent", err)
	}
	appended(t, b, decision("s", 1), three)
	if got, want := ids(t, b, ""), "r/1 r/2 s/1 r/3"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func TestOfManyWritersOneDecides(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	const writers = 8
	results := make(chan error, writers)
	for i := range writers {
		d := decision("r", 1)
		d.Reason = string(rune('a' + i))
		go func() { results <- b.Append(t.Context(), d) }()
	}
	won := 0
	for range writers {
		switch err := <-results; {
		case err == nil:
			won++
		case !errors.Is(err, haldane.ErrConflict):
			t.Errorf("got %v, want ErrConflict", err)
		}
	}
	if won != 1 {
		t.Errorf("%d writers were accepted, want 1", won)
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	b := open(t, local(dir))
	appended(t, b, decision("r", 1), decision("r", 2))
	split := haldane.Split{Service: "shop", Rollout: "r", Generation: 1, Epoch: 2, Weight: 200, Phase: haldane.Stepping}
	if err := b.PutSplit(t.Context(), split); err != nil {
		t.Fatal(err)
	}
	closed(t, b)

	b = open(t, local(dir))
	appended(t, b, decision("r", 2), decision("r", 3))
	if got, want := ids(t, b, ""), "r/1 r/2 r/3"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
	if got := nextSplit(t, b); got != split {
		t.Errorf("split %+v, want %+v", got, split)
	}
}

// nextSplit returns the first split that b tells of.
func nextSplit(t *testing.T, b *bus.Bus) (got haldane.Split) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := b.WatchSplits(ctx, func(s haldane.Split) { got = s; cancel() }); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDecisionsAreFilteredAndDated(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	held := decision("a", 2)
	held.Kind = haldane.KindHeld
	appended(t, b, decision("a", 1), held, decision("b", 1))
	for filter, want := range map[string]string{
		"":                              "a/1 a/2 b/1",
		events.Filter("shop", "a", ""):  "a/1 a/2",
		events.Filter("", "", "held"):   "a/2",
		events.Filter("other", "", ""):  "",
		events.Filter("shop", "b", "*"): "",
	} {
		if got := ids(t, b, filter); got != want {
			t.Errorf("filter %q: %q, want %q", filter, got, want)
		}
	}
	ds, err := b.Decisions(t.Context(), "", time.Now().Add(time.Hour))
	if err != nil || len(ds) != 0 {
		t.Errorf("since later: %v, %v; want none", ds, err)
	}
}

func TestFollowTellsWhatIsStoredAndWhatComes(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	appended(t, b, decision("r", 1), decision("r", 2))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	err := b.Follow(ctx, "", time.Time{}, func(d haldane.Decision) error {
		got = append(got, events.ID(d))
		if d.Seq == 2 {
			appended(t, b, decision("r", 3))
		}
		if d.Seq == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
	if got := strings.Join(got, " "); got != "r/1 r/2 r/3" {
		t.Errorf("followed %q", got)
	}
	enough := errors.New("enough")
	if err := b.Follow(t.Context(), "", time.Time{}, func(haldane.Decision) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want the reader's own error", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for claim, c := range map[string]struct {
		cfg  bus.Config
		says string
	}{
		"a taken port":          {bus.Config{Dir: t.TempDir(), Listen: l.Addr().String()}, "address already in use"},
		"no port":               {bus.Config{Dir: t.TempDir(), Listen: "127.0.0.1"}, "missing port"},
		"nowhere":               {bus.Config{}, "name either"},
		"two places":            {bus.Config{Dir: "x", URLs: []string{"nats://127.0.0.1:1"}}, "name either"},
		"a folder that is none": {bus.Config{Dir: file}, "not a directory"},
		"no credentials":        {bus.Config{URLs: []string{"nats://127.0.0.1:1"}, Credentials: file + ".creds"}, "credentials"},
	} {
		b, err := bus.Open(t.Context(), c.cfg)
		if err == nil {
			t.Errorf("%s: opened", claim)
			closed(t, b)
		} else if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want it to say %q", claim, err, c.says)
		}
	}
}
