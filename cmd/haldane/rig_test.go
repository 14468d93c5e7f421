package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/config"
	"github.com/haldane-canary/haldane/telemetry"
)

var update = flag.Bool("update", false, "write the golden files")

// An upstream is a version that says who it is, and fails if it is told to.
type upstream struct {
	*httptest.Server
	failing atomic.Bool
	served  atomic.Int64
	arrived chan struct{} // told of requests that want to wait
	release chan struct{} // closed when they may go on
}

func newVersion(t *testing.T, name string) *upstream {
	t.Helper()
	v := &upstream{arrived: make(chan struct{}, 1), release: make(chan struct{})}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.served.Add(1)
		if r.URL.Path == "/wait" {
			v.arrived <- struct{}{}
			<-v.release
		}
		if v.failing.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		if _, err := io.WriteString(w, name); err != nil {
			t.Log(err) // the client has left
		}
	}))
	t.Cleanup(v.Close)
	return v
}

// A rig is two versions of a service, a folder, and the configuration of a
// rollout between the two.
type rig struct {
	t                *testing.T
	dir              string
	baseline, canary *upstream
	bus              string // of the configuration
	rollout          string
	serveOn          bool
}

// quick is a rollout that needs few requests to be decided.
const quick = `{name: shop-2, warmup: 0s, watch: 50ms, steps: [{weight: 20%, bake: 0s}, {weight: 50%, bake: 0s}],
      indicators: [{name: errors, promote: {ratio: 10, floor: 0.3}}]}`

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{
		t: t, dir: filepath.Join(t.TempDir(), "data"), baseline: newVersion(t, "one"), canary: newVersion(t, "two"),
		bus: `{embedded: {listen: ""}}`, rollout: quick,
	}
}

// yaml returns the configuration, with every port free.
func (r *rig) yaml() string {
	return fmt.Sprintf(`dir: %q
proxy: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
bus: %s
services:
  - name: shop
    tracks:
      baseline: {version: "1", upstreams: [%q]}
      canary: {version: "2", upstreams: [%q]}
    rollout: %s
`, r.dir, r.bus, r.baseline.URL, r.canary.URL, r.rollout)
}

// A running is a server under way.
type running struct {
	*server
	t      *testing.T
	stop   context.CancelFunc
	ended  chan error
	log    *output
	client *api.Client
	seen   *controllerHandle // by which the test sees where the rollout stands
}

// start starts a server with all roles, or those given, and stops it with the
// test.
func (r *rig) start(given ...roles) *running {
	r.t.Helper()
	cfg, err := config.Parse("rig.yaml", []byte(r.yaml()))
	if err != nil {
		r.t.Fatal(err)
	}
	o := options{Roles: allRoles(), ServeOn: r.serveOn, Notices: io.Discard}
	if len(given) > 0 {
		o.Roles = given[0]
	}
	log := &output{}
	o.Log = telemetry.NewLogger(log, slog.LevelInfo)
	// Servers end one after the other, in the order of their cleanups.
	ctx, stop := context.WithCancel(context.WithoutCancel(r.t.Context()))
	s, err := newServer(ctx, cfg, o)
	if err != nil {
		stop()
		r.t.Fatalf("newServer: %v", err)
	}
	run := &running{server: s, t: r.t, stop: stop, ended: make(chan error, 1), log: log, seen: s.controller}
	go func() { run.ended <- s.Run(ctx) }()
	r.t.Cleanup(func() { run.end() })
	if run.client, err = api.NewClient(s.AdminURL(), api.ReadToken(cfg.Dir)); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-s.Tried():
	case err := <-run.ended:
		r.t.Fatalf("the server ended: %v\n%s", err, log)
	}
	return run
}

// end stops the server and waits for it. What it returns is checked.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	if err, ok := <-r.ended; ok {
		close(r.ended)
		if err != nil {
			r.t.Errorf("Run: %v\n%s", err, r.log)
		}
	}
	if r.t.Failed() {
		r.t.Logf("the server's log:\n%s", r.log)
	}
}

// get sends a request and returns who answered, with the status.
func (r *running) get() (who string, status int) {
	r.t.Helper()
	resp, err := http.Get(r.ProxyURL())
	if err != nil {
		r.t.Fatalf("get: %v", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatalf("get: %v", err)
	}
	return string(b), resp.StatusCode
}

// until sends requests until the rollout is in one of the phases, and returns
// where it stands.
func (r *running) until(phases ...haldane.Phase) haldane.Status {
	r.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		for range 20 {
			r.get()
		}
		st, err := r.seen.Get("shop-2")
		if err != nil {
			r.t.Fatal(err)
		}
		if slices.Contains(phases, st.Phase) {
			return st
		}
	}
	r.t.Fatalf("not %v within 20 s:\n%s", phases, r.log)
	return haldane.Status{}
}

// recorded waits until a decision of a kind is in the stream. A rollback is in
// force before.
func (r *running) recorded(kind haldane.Kind) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	found := errors.New("found")
	err := r.client.Events(ctx, api.Filter{Kind: string(kind), Follow: true}, func([]byte) error { return found })
	if !errors.Is(err, found) {
		r.t.Fatalf("%s not in the stream: %v\n%s", kind, err, r.log)
	}
}

// inForce sends requests until the proxy has put a weight in force.
func (r *running) inForce(w haldane.Weight) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); r.get() {
		if splits := r.proxy.Splits(); len(splits) == 1 && splits[0].Weight == w {
			return
		}
	}
	r.t.Fatalf("%v not in force within 20 s:\n%s", w, r.log)
}

// cli runs a command line against the server and returns what it wrote.
func (r *running) cli(args ...string) (code int, stdout, stderr string) {
	r.t.Helper()
	return cli(r.t, append(args, "--server", r.AdminURL(), "--dir", r.cfg.Dir)...)
}

// cli runs a command line.
func cli(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err output
	code = run(t.Context(), args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// An output keeps what is written to it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// golden compares got with a golden file. Times and figures that depend on
// chance are written as they are of no interest.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update once)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// timeless returns s with every time and address replaced.
func timeless(s string) string {
	for _, r := range []struct{ pattern, by string }{
		{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, "YYYY-MM-DD hh:mm:ss"},
		{`127\.0\.0\.1:\d+`, "127.0.0.1:PORT"},
	} {
		s = regexp.MustCompile(r.pattern).ReplaceAllString(s, r.by)
	}
	return s
}
