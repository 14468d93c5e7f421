package main

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// listen takes every address that the server will serve on, so that all that
// cannot be had are told at once, before anything has begun.
func (s *server) listen(ctx context.Context) error {
	var lc net.ListenConfig
	var errs []error
	take := func(key, addr string) net.Listener {
		l, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			errs = append(errs, s.cfg.Fault(key, fmt.Errorf("cannot listen (is another haldane running?): %w", err)))
			return nil
		}
		return l
	}
	if s.roles.proxy {
		s.proxyListener = take("proxy.listen", s.cfg.Proxy.Listen)
	}
	s.adminListener = take("admin.listen", s.cfg.Admin.Listen)
	if e := s.cfg.Bus.Embedded; e != nil && e.Listen != "" {
		// The embedded server wants to listen by itself: this is only to know
		// now whether it can.
		if l := take("bus.embedded.listen", e.Listen); l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}
