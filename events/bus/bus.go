package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors that callers test for with errors.Is.
var (
	ErrDamaged = errors.New("stored messages damaged")
	ErrStore   = errors.New("not kept as decisions must be kept")
	ErrConfig  = errors.New("not a bus that can be opened")
)

// Config says where the bus is.
type Config struct {
	URLs        []string // of servers elsewhere; none means a server in this process
	Credentials string   // file to log in with elsewhere; "" for none

	Dir    string // data folder of the server in this process; its files go to Dir/jetstream
	Listen string // "host:port" where it can be reached; port 0 picks one; "" for this process only

	Name string // of this process, as servers list their clients; "" for haldane

	// OnConnection, if set, is told when the connection is lost and when it is
	// back. It is called from the connection's goroutine, one call at a time.
	OnConnection func(connected bool)

	Log *slog.Logger // nil logs nothing
}

// A Bus is a connection to the bus, and the server if that is in this process.
// All methods are safe for concurrent use.
type Bus struct {
	cfg    Config
	log    *slog.Logger
	server *server.Server // nil if it is elsewhere
	conn   *nats.Conn
	js     jetstream.JetStream
	counts counters

	mu     sync.Mutex    // guards what follows
	stores *stores       // nil until they were found or made
	back   chan struct{} // closed when the connection is back, and then replaced
}

// Open connects to the servers of cfg.URLs, or starts a server in this process
// and connects to that, and sees to it that the stream and the bucket are
// there. Only Close ends what it started.
//
// Servers elsewhere that cannot be reached now are no error: they are tried
// for ever. A port that is taken, a folder that cannot be used, damage
// (ErrDamaged) and a stream that is kept otherwise (ErrStore) are.
func Open(ctx context.Context, cfg Config) (*Bus, error) {
	b := &Bus{cfg: cfg, log: cfg.Log, back: make(chan struct{}), counts: newCounters()}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.cfg.Name == "" {
		b.cfg.Name = "haldane"
	}
	if (len(cfg.URLs) == 0) == (cfg.Dir == "") {
		return nil, fmt.Errorf("open bus: name either the URLs of servers or the folder of a server of our own: %w", ErrConfig)
	}
	if cfg.Credentials != "" {
		// The connection would try for ever to read a file that is not there.
		if _, err := os.Stat(cfg.Credentials); err != nil {
			return nil, fmt.Errorf("open bus: credentials: %w", err)
		}
	}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open bus: %w", err), b.Close())
	}
	return b, nil
}

// open does what Open does, and leaves tidying up after an error to it.
func (b *Bus) open(ctx context.Context) (err error) {
	var before []string
	if b.cfg.Dir != "" {
		if before, err = storedStreams(b.cfg.Dir); err != nil {
			return err
		}
		if b.server, err = startServer(b.cfg, b.log); err != nil {
			return err
		}
	}
	if b.conn, err = nats.Connect(strings.Join(b.cfg.URLs, ","), b.options()...); err != nil {
		return fmt.Errorf("connect to %s: %w", strings.Join(b.cfg.URLs, ", "), err)
	}
	if b.js, err = jetstream.New(b.conn); err != nil {
		return fmt.Errorf("use JetStream: %w", err)
	}
	if !b.conn.IsConnected() {
		b.log.Warn("bus cannot be reached yet", "urls", b.cfg.URLs)
		return nil
	}
	if err := b.lost(ctx, before); err != nil {
		return err
	}
	_, err = b.kept(ctx)
	return err
}

// options returns how to connect, and what to do when the connection comes and
// goes.
func (b *Bus) options() []nats.Option {
	opts := []nats.Option{
		nats.Name(b.cfg.Name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 250*time.Millisecond),
		nats.PingInterval(5 * time.Second),
		nats.ReconnectBufSize(-1), // what cannot be sent now fails now: it must not arrive late
		nats.ConnectHandler(func(*nats.Conn) { b.connected(true) }),
		nats.ReconnectHandler(func(*nats.Conn) { b.connected(true) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.log.Warn("bus connection lost", "error", err)
			}
			b.connected(false)
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.log.Warn("bus reports an error", "error", err)
		}),
	}
	if b.cfg.Credentials != "" {
		opts = append(opts, nats.UserCredentials(b.cfg.Credentials))
	}
	if b.server != nil {
		opts = append(opts, nats.InProcessServer(b.server))
	}
	return opts
}

// connected takes in that the connection is there, or gone.
func (b *Bus) connected(yes bool) {
	if yes {
		b.mu.Lock()
		close(b.back)
		b.back = make(chan struct{})
		b.mu.Unlock()
	}
	if b.cfg.OnConnection != nil {
		b.cfg.OnConnection(yes)
	}
}

// reconnected returns a channel that is closed when the connection comes back
// the next time.
func (b *Bus) reconnected() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.back
}

// Connected reports whether the bus can be reached now.
func (b *Bus) Connected() bool { return b.conn.IsConnected() }

// ClientURL returns where plain NATS clients reach the bus, or "" if it is in
// this process only.
func (b *Bus) ClientURL() string {
	switch {
	case b.server == nil:
		return b.cfg.URLs[0]
	case b.cfg.Listen == "":
		return ""
	}
	return b.server.ClientURL()
}

// Close hands over what is still to be sent, ends the connection, and stops
// the server if it is ours. Nothing that was accepted depends on it, so it
// has no error to return.
func (b *Bus) Close() error {
	if b.conn != nil {
		if b.conn.IsConnected() {
			if err := b.conn.FlushTimeout(2 * time.Second); err != nil {
				b.log.Debug("bus closed without a last answer", "error", err)
			}
		}
		b.conn.Close()
	}
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
	return nil
}
