package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Errors that Rollouts return, and that a Client's errors are: callers test
// for them with errors.Is.
var (
	ErrUnknown     = errors.New("no such rollout")
	ErrVerb        = errors.New("no such verb")
	ErrPhase       = errors.New("not possible now")
	ErrUnavailable = errors.New("not to be had now")
	ErrToken       = errors.New("no token that may do this")
)

// An Error is an answer that is none: what went wrong, and what to do.
type Error struct {
	Status  int    `json:"-"` // of HTTP
	Message string `json:"error"`
	Hint    string `json:"hint"`
}

// Error returns what went wrong and what to do, in one line.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + " (" + e.Hint + ")"
}

// Is reports whether target is the sentinel of e's HTTP status.
func (e *Error) Is(target error) bool {
	switch e.Status {
	case http.StatusNotFound:
		return target == ErrUnknown
	case http.StatusConflict:
		return target == ErrPhase
	case http.StatusServiceUnavailable:
		return target == ErrUnavailable
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == ErrToken
	}
	return false
}

// fail answers that the request came to nothing.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, message, hint string) {
	s.write(w, r, status, &Error{Message: message, Hint: hint})
}

// failWith answers with the status that fits err.
func (s *Server) failWith(w http.ResponseWriter, r *http.Request, err error) {
	status, hint := http.StatusInternalServerError, "the server's log may say more"
	switch {
	case errors.Is(err, ErrUnknown):
		status, hint = http.StatusNotFound, "`haldane rollout list` names those there are"
	case errors.Is(err, ErrVerb):
		status, hint = http.StatusNotFound, "start, hold, resume, promote, rollback or abort"
	case errors.Is(err, ErrPhase):
		status, hint = http.StatusConflict, "`haldane rollout get` says where it stands"
	case errors.Is(err, ErrUnavailable):
		status, hint = http.StatusServiceUnavailable, "try again when it has come up; /readyz says what is missing"
	case errors.Is(err, context.DeadlineExceeded):
		status, hint = http.StatusGatewayTimeout, "it may still be done: `haldane rollout get` will tell"
	case errors.Is(err, context.Canceled):
		return // nobody is left to tell
	default:
		s.cfg.Logger.Error("request failed", "method", r.Method, "pattern", r.Pattern, "error", err)
	}
	s.fail(w, r, status, err.Error(), hint)
}

// write answers with v as JSON.
func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.cfg.Logger.Error("answer cannot be encoded", "pattern", r.Pattern, "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"error":"answer cannot be encoded","hint":"the server's log says why"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(append(b, '\n')); err != nil {
		s.cfg.Logger.Debug("client left before its answer", "pattern", r.Pattern, "error", err)
	}
}

// unavailable returns ErrUnavailable, wrapped, with what is missing.
func unavailable(what string) error { return fmt.Errorf("%s: %w", what, ErrUnavailable) }
