package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// VersionHeader names the version that answered, for people who look with curl.
const VersionHeader = "X-Shop-Version"

// An Upstream is one version of the shop on a loopback port of its own.
type Upstream struct {
	version   string
	behaviour Behaviour
	seed      uint64
	served    atomic.Uint64

	listener net.Listener
	silent   net.Conn // if behaviour.Refuse: holds the port without listening on it
}

// Listen opens a free loopback port for a version that behaves as b. The port
// is held at once, so that its URL can be configured; Run answers on it.
func Listen(version string, b Behaviour, seed uint64) (*Upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a loopback port for version %s: %w", version, err)
	}
	u := &Upstream{version: version, behaviour: b, seed: seed, listener: l}
	if !b.Refuse {
		return u, nil
	}
	// A port that refuses connections, and that nobody else is given in the
	// meantime, is the near end of a connection: it is in use, and not listened on.
	if u.silent, err = net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, errors.Join(fmt.Errorf("hold a silent port for version %s: %w", version, err), l.Close())
	}
	return u, nil
}

// URL returns where the version is to be reached.
func (u *Upstream) URL() string {
	if u.silent != nil {
		return "http://" + u.silent.LocalAddr().String()
	}
	return "http://" + u.listener.Addr().String()
}

// Served returns how many requests the version has begun to answer.
func (u *Upstream) Served() uint64 { return u.served.Load() }

// ServeHTTP answers one request as the behaviour has it.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := u.served.Add(1) - 1
	o := u.behaviour.Outcome(u.seed, n)
	work := time.NewTimer(o.Wait)
	defer work.Stop()
	select {
	case <-work.C:
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(VersionHeader, u.version)
	w.WriteHeader(o.Status)
	// Nothing can be done for a client that went away meanwhile.
	_, _ = fmt.Fprintf(w, "{\"shop\":%q,\"order\":%d,\"ok\":%t}\n", u.version, n, o.Status == http.StatusOK)
}

// Run answers requests until ctx ends, and frees the port.
func (u *Upstream) Run(ctx context.Context) error {
	if u.silent != nil {
		<-ctx.Done()
		return errors.Join(u.silent.Close(), u.listener.Close())
	}
	server := &http.Server{Handler: u, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // the demo is over: nobody waits for an answer
	defer stop()
	if err := server.Serve(u.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve version %s at %s: %w", u.version, u.URL(), err)
	}
	return nil
}
