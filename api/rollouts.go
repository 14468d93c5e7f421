package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/haldane-canary/haldane"
)

// errNoController is what a process without that role answers.
var errNoController = unavailable("this process has no controller role")

func (s *Server) listRollouts(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Rollouts == nil {
		s.failWith(w, r, errNoController)
		return
	}
	s.write(w, r, http.StatusOK, slices.Concat([]haldane.Status{}, s.cfg.Rollouts.Status()))
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
	var body struct {
		Reason string `json:"reason"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil && !errors.Is(err, io.EOF) {
		s.fail(w, r, http.StatusBadRequest, "body is not JSON: "+err.Error(), `send {"reason": "why"}, or nothing`)
		return
	}
	name, verb := r.PathValue("name"), r.PathValue("verb")
	if _, ok := s.get(w, r); !ok {
		return
	}
	d, err := s.cfg.Rollouts.Do(r.Context(), name, verb, actor(r.Context()), body.Reason)
	log := s.cfg.Logger.With("rollout", name, "verb", verb, "actor", actor(r.Context()), "reason", body.Reason)
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
