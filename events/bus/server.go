package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// startTimeout covers reading all stored messages once, after a crash.
	startTimeout = 30 * time.Second

	// maxPayload is the largest message, in bytes: a decision carries all the
	// counts that it was made from.
	maxPayload = 8 << 20
)

// startServer starts a server with its files in cfg.Dir and returns it once it
// takes connections.
func startServer(cfg Config, log *slog.Logger) (*server.Server, error) {
	opts, err := serverOptions(cfg)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("set up the embedded server: %w", err)
	}
	l := &serverLog{log: log}
	s.SetLoggerV2(l, false, false, false)
	s.Start()
	ready := s.ReadyForConnections(startTimeout)
	if fatal := l.fatal.Load(); fatal != nil || !ready || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		if fatal != nil {
			return nil, fmt.Errorf("start the embedded server in %s: %s", cfg.Dir, *fatal)
		}
		return nil, fmt.Errorf("start the embedded server in %s: not ready after %v", cfg.Dir, startTimeout)
	}
	return s, nil
}

// serverOptions returns how the embedded server is to run. It tries the port
// beforehand, for the server itself would only log that it is taken.
func serverOptions(cfg Config) (*server.Options, error) {
	opts := &server.Options{
		ServerName: cfg.Name, StoreDir: cfg.Dir, JetStream: true, SyncAlways: true,
		NoSigs: true, DisableJetStreamBanner: true, MaxPayload: maxPayload,
	}
	if cfg.Listen == "" {
		opts.DontListen = true
		return opts, nil
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("bus.embedded.listen %s (choose another port, or \"\" to be reached from this process only): %w",
			cfg.Listen, err)
	}
	if err := l.Close(); err != nil {
		return nil, fmt.Errorf("try to listen on %s: %w", cfg.Listen, err)
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("bus.embedded.listen: %w", err)
	}
	opts.Host = host
	if opts.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("bus.embedded.listen %s: the port is not a number: %w", cfg.Listen, err)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return opts, nil
}

// storedStreams returns the streams whose files are in dir, whatever state
// they are in.
func storedStreams(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "jetstream", "$G", "streams"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for stored streams: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// A serverLog passes on what the embedded server logs. Its notices are of no
// interest to anybody but its authors.
type serverLog struct {
	log   *slog.Logger
	fatal atomic.Pointer[string] // the first fault that the server could not live with
}

// say logs one message of the server's.
func (l *serverLog) say(level func(string, ...any), format string, args []any) {
	level("nats server", "said", fmt.Sprintf(format, args...))
}

// Noticef logs for debugging.
func (l *serverLog) Noticef(format string, args ...any) { l.say(l.log.Debug, format, args) }

// Warnf logs a warning.
func (l *serverLog) Warnf(format string, args ...any) { l.say(l.log.Warn, format, args) }

// Errorf logs an error.
func (l *serverLog) Errorf(format string, args ...any) { l.say(l.log.Error, format, args) }

// Fatalf keeps a fault for whoever is starting the server.
func (l *serverLog) Fatalf(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	l.fatal.CompareAndSwap(nil, &s)
	l.log.Error("nats server", "said", s)
}

// Debugf logs nothing.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef logs nothing.
func (l *serverLog) Tracef(string, ...any) {}
