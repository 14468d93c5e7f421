package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/haldane-canary/haldane"
)

// Rollouts is the controller, as far as people see it.
type Rollouts interface {
	// Status returns where each rollout's latest generation stands, or
	// ErrUnavailable, wrapped.
	Status() ([]haldane.Status, error)

	// Get returns where one rollout stands, by its name as configured or with its
	// present generation, or ErrUnknown, wrapped.
	Get(name string) (haldane.Status, error)

	// Do carries out a verb of actor's and returns what was decided; the zero
	// Decision if there was nothing to do. It returns
	// ErrUnknown, ErrVerb, ErrPhase or ErrUnavailable, wrapped, where they fit.
	Do(ctx context.Context, name, verb, actor, reason string) (haldane.Decision, error)

	// Changed returns a channel that is closed when anything that Status tells
	// has changed since the call.
	Changed() <-chan struct{}
}

// A Filter says which decisions are wanted. Empty fields mean any.
type Filter struct {
	Service, Rollout, Kind string
	Since                  time.Time // no earlier than this
	Follow                 bool      // those to come as well, until the context ends
}

// Log is the stream of all decisions.
type Log interface {
	// Events calls fn with each decision that f wants, in their order, as the
	// CloudEvent that stands in the stream. It returns the first error of fn.
	Events(ctx context.Context, f Filter, fn func(event []byte) error) error
}

// Config is what a Server serves.
type Config struct {
	Rollouts Rollouts     // nil if this process has no controller
	Log      Log          // never nil
	Metrics  http.Handler // what /metrics answers
	Ready    func() error // says why the process is not ready to serve, if it is not
	Tokens   *Tokens
	Version  string       // of the program
	Logger   *slog.Logger // never nil; told of writes and of refusals

	// Closing is done when streams are to end, because the server shuts down
	// and waits for them; nil if they end with their requests alone.
	Closing context.Context
}

// A Server is the handler of the admin listener. It keeps nothing of its own;
// what a request starts ends with the request.
type Server struct {
	cfg Config
	mux *http.ServeMux
}

// A route is one pattern of the server, who may use it, and by what.
type route struct {
	pattern string
	need    role
	handle  func(*Server, http.ResponseWriter, *http.Request)
}

// routes returns all that the server answers. The OpenAPI document lists the
// same; a test says so.
func routes() []route {
	return []route{
		{"GET /api/v1/rollouts", viewer, (*Server).listRollouts},
		{"GET /api/v1/rollouts/{name}", viewer, (*Server).getRollout},
		{"POST /api/v1/rollouts/{name}/{verb}", operator, (*Server).doVerb},
		{"GET /api/v1/rollouts/{name}/stream", viewer, (*Server).streamRollout},
		{"GET /api/v1/events", viewer, (*Server).listEvents},
		{"GET /api/v1/accounts", viewer, (*Server).listAccounts},
		{"GET /api/v1/accounts/{rollout}", viewer, (*Server).getAccount},
		{"GET /metrics", viewer, func(s *Server, w http.ResponseWriter, r *http.Request) { s.cfg.Metrics.ServeHTTP(w, r) }},
		{"GET /healthz", anybody, (*Server).health},
		{"GET /readyz", anybody, (*Server).ready},
		{"GET /openapi.json", viewer, (*Server).openAPI},
		{"GET /{$}", viewer, (*Server).index},
	}
}

// New returns the server of cfg.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, mux: http.NewServeMux()}
	for _, rt := range routes() {
		s.mux.Handle(rt.pattern, s.guard(rt.need, func(w http.ResponseWriter, r *http.Request) { rt.handle(s, w, r) }))
	}
	s.mux.Handle("/", s.guard(viewer, func(w http.ResponseWriter, r *http.Request) {
		const hint = "GET /openapi.json lists what there is"
		if allowed := s.allowed(r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			s.fail(w, r, http.StatusMethodNotAllowed, r.Method+" is not for this page", hint)
			return
		}
		s.fail(w, r, http.StatusNotFound, "no such page", hint)
	}))
	return s
}

// allowed returns the methods by which the page that r names can be asked for.
// The mux would tell, but for the pattern that takes whatever is left over.
func (s *Server) allowed(r *http.Request) []string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		as := r.Clone(r.Context())
		as.Method = method
		if _, pattern := s.mux.Handler(as); strings.HasPrefix(pattern, http.MethodGet+" ") || strings.HasPrefix(pattern, http.MethodPost+" ") {
			methods = append(methods, method)
		}
	}
	return methods
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// streaming returns the context of an answer that goes on until its client
// leaves or the server shuts down.
func (s *Server) streaming(request context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(request)
	if s.cfg.Closing == nil {
		return ctx, cancel
	}
	stop := context.AfterFunc(s.cfg.Closing, cancel)
	return ctx, func() { stop(); cancel() }
}
