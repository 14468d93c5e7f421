package bus_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
	"github.com/haldane-canary/haldane/events/bus"
)

// elsewhere starts a server that is not ours; port -1 picks one.
func elsewhere(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, StoreDir: dir, JetStream: true, NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("server is not ready")
	}
	t.Cleanup(func() { stop(s) })
	return s
}

// stop stops s; twice is fine.
func stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func TestExternalServerMayGoAndComeBack(t *testing.T) {
	dir := t.TempDir()
	s := elsewhere(t, dir, -1)
	port := s.Addr().(*net.TCPAddr).Port
	conn := make(chan bool, 16)
	b := open(t, bus.Config{URLs: []string{s.ClientURL()}, OnConnection: func(c bool) { conn <- c }})
	if !<-conn || !b.Connected() || b.ClientURL() != s.ClientURL() {
		t.Fatal("not connected")
	}
	appended(t, b, decision("r", 1))
	if err := b.PutSplit(t.Context(), split(1, 1, 100)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	splits, followed := make(chan uint64, 16), make(chan uint64, 16)
	ended := make(chan error, 2)
	go func() { ended <- b.WatchSplits(ctx, func(s haldane.Split) { splits <- s.Epoch }) }()
	go func() {
		ended <- b.Follow(ctx, "", time.Time{}, func(d haldane.Decision) error { followed <- d.Seq; return nil })
	}()
	await(t, splits, 1)
	await(t, followed, 1)

	stop(s)
	if <-conn {
		t.Fatal("still connected")
	}
	short, giveUp := context.WithTimeout(ctx, 100*time.Millisecond)
	defer giveUp()
	for what, err := range map[string]error{
		"Append":         b.Append(short, decision("r", 2)),
		"PutSplit":       b.PutSplit(ctx, split(1, 2, 0)),
		"PublishVerdict": b.PublishVerdict(ctx, haldane.Verdict{Service: "shop", Rollout: "r"}),
		"Events":         b.Events(ctx, "", time.Time{}, func([]byte) error { return nil }),
	} {
		if err == nil || !strings.Contains(err.Error(), "the bus cannot be reached now") || strings.Contains(err.Error(), "buffer") {
			t.Errorf("%s: %v, want that the bus cannot be reached", what, err)
		}
	}
	// What is begun now is finished when the server is back.
	late := make(chan error, 1)
	go func() { late <- b.Append(ctx, decision("r", 2)) }()
	elsewhere(t, dir, port)
	if err := <-late; err != nil {
		t.Fatal(err)
	}
	await(t, followed, 2)
	if err := b.PutSplit(ctx, split(1, 2, 0)); err != nil {
		t.Fatal(err)
	}
	await(t, splits, 2)
	if got, want := ids(t, b, ""), "r/1 r/2"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
	cancel()
	for range 2 {
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// await takes from ch until it gives want.
func await(t *testing.T, ch <-chan uint64, want uint64) {
	t.Helper()
	for {
		select {
		case got := <-ch:
			if got == want {
				return
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%d did not come", want)
		}
	}
}

func TestServerThatStartsLaterIsFound(t *testing.T) {
	dir := t.TempDir()
	s := elsewhere(t, dir, -1)
	url, port := s.ClientURL(), s.Addr().(*net.TCPAddr).Port
	stop(s)
	b := open(t, bus.Config{URLs: []string{url}})
	done := make(chan error, 1)
	go func() { done <- b.Append(t.Context(), decision("r", 1)) }()
	elsewhere(t, dir, port)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestALongOutageIsLoggedOnce(t *testing.T) {
	s := elsewhere(t, t.TempDir(), -1)
	url := s.ClientURL()
	stop(s)
	var said bytes.Buffer
	b := open(t, bus.Config{URLs: []string{url}, Log: slog.New(slog.NewTextHandler(&said, nil))})
	ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond) // three tries and more
	defer cancel()
	if err := b.WatchSplits(ctx, func(haldane.Split) { t.Error("a split from nowhere") }); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil { // so that nothing else is logged
		t.Fatal(err)
	}
	if n := strings.Count(said.String(), "splits cannot be watched now"); n != 1 {
		t.Errorf("said %d times, want once:\n%s", n, said.String())
	}
}

func TestAStreamKeptOtherwiseIsRefused(t *testing.T) {
	good := jetstream.StreamConfig{
		Name: events.Stream, Subjects: []string{events.AllDecisions}, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
	}
	for claim, spoil := range map[string]func(*jetstream.StreamConfig){
		"in memory":        func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"forgets by age":   func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"forgets by count": func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 },
		"discards old":     func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"other subjects":   func(c *jetstream.StreamConfig) { c.Subjects = []string{"haldane.v1.*.*.held"} },
		"a work queue":     func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
		"as wanted":        func(*jetstream.StreamConfig) {},
	} {
		t.Run(claim, func(t *testing.T) {
			s := elsewhere(t, t.TempDir(), -1)
			nc, err := nats.Connect(s.ClientURL())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			js, err := jetstream.New(nc)
			if err != nil {
				t.Fatal(err)
			}
			cfg := good
			spoil(&cfg)
			if _, err := js.CreateStream(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			b, err := bus.Open(t.Context(), bus.Config{URLs: []string{s.ClientURL()}})
			if claim == "as wanted" {
				if err != nil {
					t.Fatal(err)
				}
				closed(t, b)
			} else if !errors.Is(err, bus.ErrStore) {
				t.Errorf("got %v, want ErrStore", err)
			}
		})
	}
}

func TestAFullStreamRefusesAndForgetsNothing(t *testing.T) {
	s := elsewhere(t, t.TempDir(), -1)
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: events.Stream, Subjects: []string{events.AllDecisions}, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, MaxBytes: 2048,
	}); err != nil {
		t.Fatal(err)
	}
	b := open(t, bus.Config{URLs: []string{s.ClientURL()}})
	n := uint64(0)
	for err == nil && n < 10 {
		n++
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		err = b.Append(ctx, decision("r", n))
		cancel()
	}
	if err == nil || n == 1 {
		t.Fatalf("decision %d of a full stream: got %v, want an error", n, err)
	}
	ds, err := b.Decisions(t.Context(), "", time.Time{})
	if err != nil || uint64(len(ds)) != n-1 {
		t.Errorf("%d decisions are there (%v), want all %d before", len(ds), err, n-1)
	}
}
