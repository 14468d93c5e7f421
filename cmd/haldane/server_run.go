package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// headStart is how long serving waits for the control plane to come up, so
	// that the first requests meet the weights in force rather than those of
	// before a restart. Connections wait meanwhile; none is refused.
	headStart = 500 * time.Millisecond

	// grace is how long requests may take to end once the server is to stop.
	grace = 10 * time.Second

	// contactEvery is how often the proxy is told whether the bus is there.
	contactEvery = time.Second
)

// Run serves until ctx ends and everything under way is finished, and returns
// nil then. It returns an error if something fails that nothing goes on
// without. It gives back everything that newServer opened.
func (s *server) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.close()) }()
	// What serves ends with ctx; what it needs ends after it.
	behind, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, failed := errgroup.WithContext(behind)
	if s.tracing != nil {
		g.Go(func() error { return s.tracing.Run(failed) })
	}
	g.Go(func() error { return s.control(failed) })
	g.Go(func() error {
		defer stop() // the last to serve turns off the light
		return s.serve(ctx, failed)
	})
	return g.Wait()
}

// serve answers on both listeners until ctx ends or the context failed does.
// The proxy is the first to stop, so that the admin listener can say that it
// is stopping.
func (s *server) serve(ctx, failed context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(failed, cancel)()
	closing, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endStreams()

	var g errgroup.Group
	admin := &http.Server{
		Handler:           s.api(closing),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stopAdmin := s.start(&g, cancel, admin, s.adminListener)
	stopProxy := func() {}
	if s.roles.proxy {
		g.Go(func() error { return s.contact(ctx) })
		select {
		case <-s.tried.set:
		case <-time.After(headStart):
		case <-ctx.Done():
		}
		stopProxy = s.start(&g, cancel, s.proxy.Server(), s.proxyListener)
		s.log.Info("serving", "proxy", s.ProxyURL(), "admin", s.AdminURL())
	} else {
		s.log.Info("serving", "admin", s.AdminURL())
	}
	<-ctx.Done()
	s.log.Info("stopping")
	s.stopping.Store(true)
	stopProxy()
	endStreams()
	stopAdmin()
	return g.Wait()
}

// start serves h on l in g and returns what stops it: no new requests, and up
// to grace for those under way. If serving fails, cancel is called.
func (s *server) start(g *errgroup.Group, cancel context.CancelFunc, h *http.Server, l net.Listener) (stop func()) {
	g.Go(func() error {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			cancel()
			return fmt.Errorf("serve on %s: %w", l.Addr(), err)
		}
		return nil
	})
	return func() {
		patience, done := context.WithTimeout(context.Background(), grace)
		defer done()
		if err := h.Shutdown(patience); err != nil {
			s.log.Warn("requests cut off at the end", "listen", l.Addr().String(), "error", err)
			if err := h.Close(); err != nil {
				s.log.Warn("connections not closed", "listen", l.Addr().String(), "error", err)
			}
		}
	}
}

// contact tells the proxy again and again whether the controller can be heard.
func (s *server) contact(ctx context.Context) error {
	tick := time.NewTicker(contactEvery)
	defer tick.Stop()
	for {
		b := s.bus.Load()
		s.proxy.Contact(b != nil && b.Connected(), time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
