package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// statusEvery is the longest that a stream is silent: it tells where the
// rollout stands again, so that a client knows a dead connection by silence.
const statusEvery = time.Second

// settling is how far back a stream begins of a rollout that is not started
// yet: its first decision may stand in the stream of decisions already when
// the controller is still about to act on it.
const settling = 10 * time.Second

// streamRollout answers with server-sent events: "status", whenever it
// changes and at least each second, and "decision", the CloudEvent, for those
// of the present generation so far and for each one to come on the service.
func (s *Server) streamRollout(w http.ResponseWriter, r *http.Request) {
	st, ok := s.get(w, r)
	if !ok {
		return
	}
	since := st.Started
	if since.IsZero() {
		since = time.Now().Add(-settling)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep the events back
	out := &eventWriter{to: flusher{w, http.NewResponseController(w)}}

	// Two sources, one stream: whichever fails ends both.
	open, stop := s.streaming(r.Context())
	defer stop()
	ctx, cancel := context.WithCancelCause(open)
	var both sync.WaitGroup
	both.Go(func() { cancel(s.streamStatus(ctx, r.PathValue("name"), out)) })
	both.Go(func() {
		cancel(s.cfg.Log.Events(ctx, Filter{Service: st.Service, Since: since, Follow: true}, func(event []byte) error {
			return out.event("decision", event)
		}))
	})
	both.Wait()
	if open.Err() == nil {
		s.cfg.Logger.Debug("stream ended", "rollout", st.Name, "error", context.Cause(ctx))
	}
}

// streamStatus writes the rollout's status until ctx ends or a write fails.
func (s *Server) streamStatus(ctx context.Context, name string, out *eventWriter) error {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for {
		changed := s.cfg.Rollouts.Changed() // before the look, so that no change falls between
		st, err := s.cfg.Rollouts.Get(name)
		if err != nil {
			return err
		}
		b, err := json.Marshal(st)
		if err != nil {
			return fmt.Errorf("encode status of %s: %w", name, err)
		}
		if err := out.event("status", b); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-tick.C:
		}
	}
}

// An eventWriter writes server-sent events, one at a time.
type eventWriter struct {
	mu sync.Mutex // one event at a time
	to flusher
}

// event writes data, which has no line breaks, as an event of the given kind.
func (e *eventWriter) event(kind string, data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.to.write(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, data))
}
