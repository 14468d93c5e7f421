package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/config"
	"github.com/haldane-canary/haldane/events/bus"
	"github.com/haldane-canary/haldane/proxy"
	"github.com/haldane-canary/haldane/rollout"
	"github.com/haldane-canary/haldane/telemetry"
)

// A server is one process of Haldane. It has two halves. The data path is the
// proxy with its metrics: once newServer has returned it needs nobody. The
// control plane is everything that talks over the bus (see control): if it
// cannot come up, or ends, the data path goes on with the last weights it knew,
// and says so.
type server struct {
	cfg     *config.Config
	roles   roles
	serveOn bool
	log     *slog.Logger

	// What was opened before anything was started.
	proxyListener, adminListener net.Listener // the former is nil without the proxy role
	journal                      *rollout.Journal
	tokens                       *api.Tokens
	unfit                        error // why the control plane cannot come up; nil if it may

	// The parts.
	tally     *collectors.Tally
	publisher *collectors.Publisher
	proxy     *proxy.Proxy // nil without the proxy role
	metrics   *telemetry.Metrics
	tracing   *telemetry.Tracing // nil if nothing is traced
	registry  *prometheus.Registry

	splits     sync.Mutex // one split at a time is put in force and on the disk
	splitFile  proxy.SplitFile
	bus        atomic.Pointer[bus.Bus] // nil while there is none
	controller *controllerHandle
	tried      *latch      // set when the control plane has come up, or failed to, for the first time
	up         atomic.Bool // the control plane has been
	stopping   atomic.Bool
}

// Options are what a server is told beside its configuration.
type options struct {
	Roles   roles
	ServeOn bool // although the data folder is damaged, with the last known weights
	Log     *slog.Logger
	Notices io.Writer // for the person who started it
}

// newServer opens what a server by cfg needs and puts its parts together. It
// serves nothing before Run; if Run is not called, close is to be. Addresses
// that cannot be listened on are usage errors, all of them at once, and then
// nothing else has been done.
func newServer(ctx context.Context, cfg *config.Config, o options) (*server, error) {
	s := &server{
		cfg: cfg, roles: o.Roles, serveOn: o.ServeOn, log: o.Log,
		metrics: telemetry.NewMetrics(), registry: prometheus.NewRegistry(),
		tried: newLatch(), splitFile: proxy.SplitFile{Path: filepath.Join(cfg.Dir, "splits.json")},
	}
	if o.Roles.controller {
		s.controller = newControllerHandle()
	}
	err := s.listen(ctx)
	if err != nil {
		return nil, errors.Join(usageError(err), s.close())
	}
	if err := s.open(o.Notices); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.build(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// open opens the data folder: first the journal, which knows whether the
// folder is ours.
func (s *server) open(notices io.Writer) error {
	known, err := s.splitFile.Load()
	if err != nil {
		s.log.Error("last known weights cannot be read, so every canary gets nothing until the controller is heard", "error", err)
	}
	if s.journal, err = rollout.OpenJournal(s.cfg.Dir, s.log); err != nil {
		if err = fmt.Errorf("open the data folder: %w", err); !s.survives(err, known) {
			return s.advised(err, known)
		}
		s.unfit = err
	}
	fresh := s.journal != nil && len(s.journal.Histories()) == 0
	tokens, created, err := api.OpenTokens(s.cfg.Dir, fresh)
	if err != nil {
		return err
	}
	s.tokens = tokens
	if created != "" {
		fmt.Fprintf(notices, "token: %s\n", created)
	}
	return nil
}

// survives reports whether the data path is to be served although the control
// plane has failed by err: if it was up before; or if what failed is damage,
// which a restart does not mend, there are weights to go on with, and somebody
// has said so, who knows then that nothing will advance.
func (s *server) survives(err error, known []haldane.Split) bool {
	return s.roles.proxy && (s.up.Load() || s.serveOn && damaged(err) && len(known) > 0)
}

// damaged reports whether err is of data that a restart does not mend.
func damaged(err error) bool {
	return errors.Is(err, rollout.ErrDamaged) || errors.Is(err, bus.ErrDamaged) || errors.Is(err, bus.ErrStore)
}

// advised adds to err how the requests can be served meanwhile, if they can.
func (s *server) advised(err error, known []haldane.Split) error {
	if !s.roles.proxy || !damaged(err) || len(known) == 0 {
		return err
	}
	return fmt.Errorf("%w; --serve-on-damage serves on meanwhile, with the last known weights and no control", err)
}

// build puts the parts together.
func (s *server) build(ctx context.Context) (err error) {
	s.tracing, err = telemetry.Setup(ctx, telemetry.Config{
		OTLP: s.cfg.Telemetry.OTLP, Sample: s.cfg.Telemetry.Sample, Version: version(),
	})
	if err != nil {
		return usageError(fmt.Errorf("set up telemetry: %w", err))
	}
	if s.roles.proxy {
		if err := s.buildProxy(); err != nil {
			return err
		}
	}
	return s.register()
}

// buildProxy makes the proxy, with the last weights it knew.
func (s *server) buildProxy() error {
	s.tally = collectors.NewTally(uuid.NewString())
	s.publisher = &collectors.Publisher{Tally: s.tally, Publish: s.publishReport, Log: s.log}
	var tracer proxy.Tracer
	if s.tracing != nil {
		tracer = s.tracing
	}
	p, err := proxy.New(proxyConfig(s.cfg), s.tally, tracer, s.log)
	if err != nil {
		return usageError(err)
	}
	s.proxy = p
	known, err := s.splitFile.Load()
	if err != nil {
		return nil // said by open; weight 0 is always safe
	}
	for _, split := range known {
		if p.Apply(split) {
			s.log.Info("last known weight in force", "rollout", split.Rollout, "weight_bp", int(split.Weight))
		}
	}
	return nil
}

// close gives back what newServer has opened.
func (s *server) close() error {
	var errs []error
	for _, l := range []net.Listener{s.proxyListener, s.adminListener} {
		if l != nil {
			if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if s.proxy != nil {
		errs = append(errs, s.proxy.Close())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	return errors.Join(errs...)
}

// ProxyURL returns where clients call, and AdminURL where operators do.
func (s *server) ProxyURL() string { return "http://" + s.proxyListener.Addr().String() }

// AdminURL returns where operators call.
func (s *server) AdminURL() string { return "http://" + s.adminListener.Addr().String() }

// BusURL returns where NATS clients connect, or "" if they cannot or there is
// no bus yet; there is one once Tried is closed and the bus is ours.
func (s *server) BusURL() string {
	if b := s.bus.Load(); b != nil {
		return b.ClientURL()
	}
	return ""
}

// Tried returns a channel that is closed when the control plane has come up,
// or has failed to for the first time.
func (s *server) Tried() <-chan struct{} { return s.tried.set }

// A latch is set once.
type latch struct {
	once sync.Once
	set  chan struct{}
}

func newLatch() *latch { return &latch{set: make(chan struct{})} }

func (l *latch) trip() { l.once.Do(func() { close(l.set) }) }

func (l *latch) tripped() bool {
	select {
	case <-l.set:
		return true
	default:
		return false
	}
}
