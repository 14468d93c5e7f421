package api

import (
	_ "embed" // the OpenAPI document
	"html/template"
	"net/http"

	"github.com/haldane-canary/haldane"
)

//go:embed openapi.json
var openAPIDocument string

//go:embed index.html
var indexPage string

func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	s.send(w, r, openAPIDocument)
}

// health answers as long as the process can answer at all.
func (s *Server) health(w http.ResponseWriter, r *http.Request) { s.send(w, r, "ok\n") }

// ready answers whether the process can do its work, and why not.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.cfg.Ready(); err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, "not ready: "+err.Error(), "wait, or see the server's log")
		return
	}
	s.send(w, r, "ready\n")
}

// index answers with a page for people, until there is a console.
func (s *Server) index(w http.ResponseWriter, r *http.Request) {
	page, err := template.New("index").Parse(indexPage)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	data := struct {
		Version  string
		Rollouts []haldane.Status
		Starting bool // it is not known yet where they stand
	}{Version: s.cfg.Version}
	if s.cfg.Rollouts != nil {
		data.Rollouts, err = s.cfg.Rollouts.Status()
		data.Starting = err != nil
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, data); err != nil {
		s.cfg.Logger.Debug("client left before its answer", "pattern", r.Pattern, "error", err)
	}
}

// send answers with text.
func (s *Server) send(w http.ResponseWriter, r *http.Request, text string) {
	if _, err := w.Write([]byte(text)); err != nil {
		s.cfg.Logger.Debug("client left before its answer", "pattern", r.Pattern, "error", err)
	}
}
