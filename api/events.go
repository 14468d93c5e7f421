package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/haldane-canary/haldane"
)

// writeTimeout is how long a client may take to read what it asked for, write
// by write, before it is given up.
const writeTimeout = 10 * time.Second

// listEvents answers with CloudEvents, one a line.
func (s *Server) listEvents(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r, time.Now())
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err.Error(), "as in ?since=24h&kind=rolledback&follow=true")
		return
	}
	out := flusher{w, http.NewResponseController(w)}
	begun := false
	begin := func() error {
		if begun {
			return nil
		}
		begun = true
		w.Header().Set("Content-Type", "application/x-ndjson")
		return out.flush()
	}
	if f.Follow {
		if err := begin(); err != nil {
			return // the client has left
		}
	}
	ctx, cancel := s.streaming(r.Context())
	defer cancel()
	err = s.cfg.Log.Events(ctx, f, func(event []byte) error {
		if err := begin(); err != nil {
			return err
		}
		return out.write(append(slices.Clip(event), '\n'))
	})
	switch {
	case err == nil:
		_ = begin() // no event at all: an empty list; a client that has left needs none
	case !begun:
		s.failWith(w, r, err)
	case ctx.Err() == nil || !f.Follow:
		s.cfg.Logger.Warn("events cut short", "error", err)
		out.cut()
	}
}

// filterOf reads the filter of a request's query.
func filterOf(r *http.Request, now time.Time) (Filter, error) {
	q := r.URL.Query()
	f := Filter{Service: q.Get("service"), Rollout: q.Get("rollout"), Kind: q.Get("kind")}
	if f.Kind != "" && !slices.Contains(haldane.Kinds(), haldane.Kind(f.Kind)) {
		return f, fmt.Errorf("kind %q (one of %v)", f.Kind, haldane.Kinds())
	}
	if s := q.Get("follow"); s != "" {
		follow, err := strconv.ParseBool(s)
		if err != nil {
			return f, fmt.Errorf("follow %q (true or false)", s)
		}
		f.Follow = follow
	}
	since := q.Get("since")
	if since == "" {
		return f, nil
	}
	if d, err := time.ParseDuration(since); err == nil {
		f.Since = now.Add(-d)
		return f, nil
	}
	t, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return f, fmt.Errorf("since %q (a duration such as 24h, or a time such as 2026-11-22T17:00:00Z)", since)
	}
	f.Since = t
	return f, nil
}

// A flusher writes so that the client sees it at once, or is given up.
type flusher struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func (f flusher) write(b []byte) error {
	// A writer without deadlines, as in tests, has no connection to lose.
	if err := f.c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := f.w.Write(b); err != nil {
		return err
	}
	return f.c.Flush()
}

func (f flusher) flush() error { return f.write(nil) }

// cut lets the answer end with a broken connection, so that what has been cut
// short does not look whole.
func (f flusher) cut() {
	if err := f.c.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		return // no connection to break
	}
}

// An Account sums up what was decided on one rollout.
type Account struct {
	Rollout   string           `json:"rollout"`
	Service   string           `json:"service"`
	Versions  haldane.Versions `json:"versions"`
	Decisions int              `json:"decisions"`
	First     time.Time        `json:"first"`
	Last      time.Time        `json:"last"`
	Phase     haldane.Phase    `json:"phase"`  // after the last
	Reason    string           `json:"reason"` // of the last
}

// decisions returns what f wants, without the envelopes.
func (s *Server) decisions(ctx context.Context, f Filter) ([]haldane.Decision, error) {
	ds := []haldane.Decision{}
	err := s.cfg.Log.Events(ctx, f, func(event []byte) error {
		var e struct {
			Data haldane.Decision `json:"data"`
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		ds = append(ds, e.Data)
		return nil
	})
	return ds, err
}

// listAccounts answers with the accounts of all rollouts, the latest first.
func (s *Server) listAccounts(w http.ResponseWriter, r *http.Request) {
	ds, err := s.decisions(r.Context(), Filter{})
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.write(w, r, http.StatusOK, sumUp(ds))
}

// sumUp returns the accounts of the decisions ds, the latest first.
func sumUp(ds []haldane.Decision) []Account {
	at := make(map[[2]string]int)
	as := []Account{}
	for _, d := range ds {
		key := [2]string{d.Service, d.Rollout}
		i, ok := at[key]
		if !ok {
			i = len(as)
			at[key] = i
			as = append(as, Account{Rollout: d.Rollout, Service: d.Service, First: d.At})
		}
		a := &as[i]
		a.Decisions++
		a.Versions, a.Last, a.Phase, a.Reason = d.Versions, d.At, d.To.Phase, d.Reason
	}
	slices.SortStableFunc(as, func(a, b Account) int { return b.Last.Compare(a.Last) })
	return as
}

// getAccount answers with all decisions on one rollout, the oldest first.
func (s *Server) getAccount(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("rollout")
	ds, err := s.decisions(r.Context(), Filter{Rollout: name})
	switch {
	case err != nil:
		s.failWith(w, r, err)
	case len(ds) == 0:
		s.fail(w, r, http.StatusNotFound, "no decision on "+name+": "+ErrUnknown.Error(), "`haldane account list` names those there are")
	default:
		s.write(w, r, http.StatusOK, ds)
	}
}
