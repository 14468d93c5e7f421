package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/haldane-canary/haldane"
)

// errNoController is what a process without that role answers.
var errNoController = unavailable("this process has no controller role")

func (s *Server) listRollouts(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Rollouts == nil {
		s.failWith(w, r, errNoController)
		return
	}
	sts, err := s.cfg.Rollouts.Status()
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.write(w, r, http.StatusOK, append([]haldane.Status{}, sts...)) // none are [], not null
}

// get answers with an error and returns false if the named rollout cannot be had.
func (s *Server) get(w http.ResponseWriter, r *http.Request) (haldane.Status, bool) {
	if s.cfg.Rollouts == nil {
		s.failWith(w, r, errNoController)
		return haldane.Status{}, false
	}
	st, err := s.cfg.Rollouts.Get(r.PathValue("name"))
	if err != nil {
		s.failWith(w, r, err)
		return haldane.Status{}, false
	}
	return st, true
}

func (s *Server) getRollout(w http.ResponseWriter, r *http.Request) {
	if st, ok := s.get(w, r); ok {
		s.write(w, r, http.StatusOK, st)
	}
}

// doVerb carries out what is asked, and answers with where the rollout then
// stands. Each such request is logged, whatever comes of it.
func (s *Server) doVerb(w http.ResponseWriter, r *http.Request) {
	reason, err := readReason(r.Body)
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err.Error(), `send {"reason": "why"}, or nothing`)
		return
	}
	name, verb := r.PathValue("name"), r.PathValue("verb")
	if _, ok := s.get(w, r); !ok {
		return
	}
	d, err := s.cfg.Rollouts.Do(r.Context(), name, verb, actor(r.Context()), reason)
	log := s.cfg.Logger.With("rollout", name, "verb", verb, "actor", actor(r.Context()), "reason", reason)
	if err != nil {
		log.Warn("request not carried out", "error", err)
		s.failWith(w, r, err)
		return
	}
	log.Info("request carried out", "seq", d.Seq)
	if st, ok := s.get(w, r); ok {
		s.write(w, r, http.StatusOK, st)
	}
}

// readReason reads the body of a verb: an object with a reason, or nothing. A
// field that is misspelt is a fault, so that no reason is lost unnoticed.
func readReason(body io.Reader) (string, error) {
	var b struct {
		Reason string `json:"reason"`
	}
	in := json.NewDecoder(body)
	in.DisallowUnknownFields()
	err := in.Decode(&b)
	if errors.Is(err, io.EOF) {
		return "", nil
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if mismatch.Field == "" {
			return "", errors.New("body is not an object")
		}
		return "", fmt.Errorf("body: %s must be text", mismatch.Field)
	}
	if err != nil {
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return "", fmt.Errorf("body: no such field: %s", field)
		}
		return "", fmt.Errorf("body is not JSON: %w", err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("body goes on after its end")
	}
	return b.Reason, nil
}
